/** What a server leaves open, shows and answers, whoever asks for what (X03, X18, X27, X29). */

import { readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import { jsonLines } from "../../src/storage/json-lines.ts";
import { run, runProcess, startProcess, until } from "../cli/command-line.ts";
import { tempFolder } from "../temp-folder.ts";
import { begun, exchange, serve } from "./api/serve.ts";

const CRLF = "\r\n";
const UPGRADES = "/api/v1/upgrades";

const get = (path: string, ...headers: readonly string[]): string =>
  [`GET ${path} HTTP/1.1`, "Host: localhost", "Connection: close", ...headers, "", ""].join(CRLF);

const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);

interface Child {
  readonly pid: number;
  readonly port: number;
  /** What it has said on standard error. */
  readonly stderr: () => string;
}

/** `milepost start` as a process of its own, on any free port. */
async function started(...options: readonly string[]): Promise<Child> {
  const child = startProcess(["start", "--port", "0", "--json", ...options]);
  onTestFinished(() => void child.kill("SIGKILL"));
  let [stdout, stderr] = ["", ""];
  child.stdout?.on("data", (data) => (stdout += data));
  child.stderr?.on("data", (data) => (stderr += data));
  const port = Number(await until(() => /"port":(\d+)/.exec(stdout)?.[1], "it listens"));
  return { pid: child.pid as number, port, stderr: () => stderr };
}

/** The addresses that a process listens at, in the kernel's hexadecimal (proc(5), /proc/net/tcp). */
function listeningAt(pid: number): readonly string[] {
  const folder = `/proc/${pid}/fd`;
  const inodes = new Set(
    readdirSync(folder).flatMap((fd) => /^socket:\[(\d+)\]$/.exec(readlinkSync(join(folder, fd)))?.[1] ?? []),
  );
  const LISTEN = "0A";
  return ["tcp", "tcp6"]
    .flatMap((table) => readFileSync(`/proc/${pid}/net/${table}`, "utf8").trim().split("\n").slice(1))
    .map((line) => line.trim().split(/\s+/))
    .flatMap(([, local = "", , state, , , , , , inode = ""]) =>
      state === LISTEN && inodes.has(inode) ? [local.replace(/:.*$/, "")] : [],
    );
}

describe("X03: where a server listens", () => {
  const LOOPBACK = "0100007F";

  test("X03: at this machine's own address alone, when nothing else is asked for", async () => {
    const { pid } = await started("--storage", "memory:");
    expect(listeningAt(pid)).toEqual([LOOPBACK]);
  });

  test("X03: a server for other machines does not start unless it knows who may do what", async () => {
    const { exitCode, stderr, stdout } = await runProcess(["start", "--host", "0.0.0.0", "--port", "0"], {
      env: { MILEPOST_STORAGE: "memory:" },
    });
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^milepost: [^\n]*0\.0\.0\.0[^\n]*--auth-file[^\n]*\(INVALID_ARGUMENT\)\n$/);
  });

  test("X03: nor at any other way to write such an address", async () => {
    const own = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
    const outer = own.filter(({ internal }) => !internal).map(({ address }) => address);
    for (const host of [
      "::",
      "0",
      "0.0",
      "::0",
      "0:0:0:0:0:0:0:0",
      "::ffff:0.0.0.0",
      "0x0",
      "",
      "192.0.2.1",
      ...outer,
    ]) {
      const { exitCode, stderr } = await run(["start", `--host=${host}`, "--port", "0", "--storage", "memory:"]);
      expect([host, exitCode]).toEqual([host, 2]);
      expect(stderr).toContain("INVALID_ARGUMENT");
    }
  });
});

/** What steers a terminal, ends a line, or turns text round. */
const STEERING: readonly string[] = [
  "\u001b[2J",
  "\u001b[31m",
  "\u001b[1A\u001b[2K",
  "\u001b]52;c;cm0gLXJm\u0007",
  "\u001b]8;;https://evil.example\u001b\\x\u001b]8;;\u001b\\",
  "\u001b]0;title\u0007",
  "\u001bP1$tx\u001b\\",
  "\u001bc",
  "\u001b",
  "\r",
  "\n",
  "\r\nmilepost: all is well",
  "\nmilepost: all is well",
  "\u0007",
  "\b\b\b",
  "\t",
  "\u000b",
  "\u000c",
  "\u000e\u000f",
  "\u007f",
  "\u009b2J",
  "\u009d52;c;x\u009c",
  "\u0085",
  "\u202e",
  "\u202dx\u202c",
  "\u2066x\u2069",
  "\u200e\u200f",
  "\u061c",
  "\u2028",
  "\u2029",
];

// eslint-disable-next-line no-control-regex -- that there are none is what is tested
const UNSAFE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
// eslint-disable-next-line no-control-regex -- what no id may hold
const isId = (text: string): boolean => !/[\u0000-\u001f\u007f-\u009f]/.test(text);

describe("X18: what steers a terminal", () => {
  test("X18: in ids, names, paths, headers and addresses leaves the server's log one line for each entry", async () => {
    // A folder that is called as they all are, since errors of the storage tell where.
    const folder = join(tempFolder(), STEERING.join("").replaceAll("/", ""));
    const ids = STEERING.filter(isId).map((text) => `u${text}u`);
    const storage = jsonLines({ path: folder });
    const before = await serve({ storage });
    for (const id of ids) await begun(before, id);
    await before.close();
    await storage.close();
    for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }))
      if (name.endsWith(".jsonl")) spoil(join(folder, name));

    const { port, stderr } = await started("--storage-path", folder);
    for (const text of STEERING) {
      const encoded = encodeURIComponent(text);
      await exchange(port, get(`${UPGRADES}/${encoded}?after=${encoded}`, `X-Request-Id: ${text}`));
      await exchange(port, get(`/${text}`, `Accept: ${text}`, `Authorization: Bearer ${text}`));
    }
    for (const id of ids) await exchange(port, get(`${UPGRADES}/${encodeURIComponent(id)}`));
    await until(() => stderr().split("\n").length > ids.length, "it has said what it cannot read");
    const said = stderr();
    expect(said).not.toMatch(UNSAFE);
    expect(said.endsWith("\n")).toBe(true);
    for (const line of said.slice(0, -1).split("\n")) expect(line).toMatch(/^milepost: .*u\\\\?u[0-9a-f]{4}/);
    expect(said).not.toContain("\nmilepost: all is well");
  });

  test("X18: is escaped in a problem document, whatever part of the request held it", async () => {
    const server = await serve();
    for (const text of STEERING) {
      const encoded = encodeURIComponent(text);
      const body = JSON.stringify({ upgradeId: "u", tasks: [{ taskId: "t", taskName: "T", taskType: text }] });
      const answers = [
        await server.get(`${UPGRADES}/x${encoded}`),
        await server.get(`/nothing${encoded}`),
        await server.get(`${UPGRADES}?status=${encoded}&limit=${encoded}`),
        await server.get(`/badge/${encoded}.svg`),
        await server.get(`${UPGRADES}/x${encoded}/commands`),
        await server.post(UPGRADES, body),
        await server.post(UPGRADES, JSON.stringify({ upgradeId: `a${text}`.repeat(200) })),
      ];
      for (const { status, text: shown, headers } of answers) {
        expect([text, status >= 400 && status < 500]).toEqual([text, true]);
        expect(shown).not.toMatch(UNSAFE);
        expect(shown).not.toContain("\n");
        expect(JSON.stringify([...headers])).not.toMatch(UNSAFE);
        // A reader that decodes the JSON and prints it is safe as well.
        expect((JSON.parse(shown) as { readonly detail: string }).detail).not.toMatch(UNSAFE);
      }
    }
  });

  test("X18: is not in a badge", async () => {
    const server = await serve();
    for (const text of STEERING.filter(isId)) {
      await begun(server, `b${text}b`);
      const { status, text: svg } = await server.get(`/badge/${encodeURIComponent(`b${text}b`)}.svg`);
      expect(status).toBe(200);
      expect(svg).not.toMatch(UNSAFE);
    }
  });
});

/** Makes a stored line one that its checksum does not fit. */
function spoil(file: string): void {
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace('"taskName":"Drain"', '"taskName":"Brain"'));
}

/** What is no UTF-8, or holds a backslash, is none. */
const isAddress = (path: string): boolean => !/%c0|\\/.test(path);

const SECRET = "CANARY-of-a-file";

describe("X27: addresses of files", () => {
  /** Each is tried as it stands; there are no files behind a server at all. */
  const PATHS: readonly string[] = [
    "/%2F",
    "/%2f%2fetc%2fpasswd",
    "/..%2f..%2f..%2fetc%2fpasswd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/%2e%2e%2fsecret.txt",
    "/..%5c..%5csecret.txt",
    "/%5c%5chost%5cshare",
    "/..\\..\\secret.txt",
    "/%252e%252e%252fsecret.txt",
    "/%25252e%25252e/secret.txt",
    "/..%c0%afsecret.txt",
    "/..%ef%bc%8fsecret.txt",
    "/..;/secret.txt",
    "/./secret.txt",
    "//secret.txt",
    "///etc/passwd",
    "/secret.txt",
    "/secret.txt/",
    "/secret.txt%00.svg",
    "/.env",
    "/.git/config",
    "/.git/HEAD",
    "/.npmrc",
    "/.well-known/x",
    "/.ready-1",
    "/package.json",
    "/node_modules/ws/package.json",
    "/index.html",
    "/index.js.map",
    "/main.ts",
    "/dist/index.js.map",
    "/openapi.json.map",
    "/openapi.json/",
    "/openapi.json%2f",
    "/openapi.json%20",
    "/OPENAPI.JSON",
    "/healthz/",
    "/healthz%2f..%2fsecret.txt",
    "/badge/..%2fsecret.txt",
    "/badge/%2e%2e%2fsecret.txt.svg",
    "/badge/u1.svg/",
    "/badge/u1.svg.map",
    `${UPGRADES}/`,
    `${UPGRADES}/u1/`,
    `${UPGRADES}/u1/../../../../secret.txt`,
    `${UPGRADES}/u1%2f..%2f..%2fsecret.txt`,
    `${UPGRADES}/..%2f..%2fsecret.txt`,
    `${UPGRADES}/u1/journal/1.jsonl`,
    `${UPGRADES}/u1%2fjournal%2f1.jsonl`,
    `${UPGRADES}/u1/events/..%2f..%2fholder.json`,
  ];

  test("X27: are answered with 404, and never with a file, whole or in part", async () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "secret.txt"), SECRET);
    const storage = jsonLines({ path: join(folder, "data") });
    const server = await serve({ storage });
    await begun(server);
    writeFileSync(join(folder, "data", "secret.txt"), SECRET);
    for (const path of PATHS)
      for (const header of ["Accept: */*", "Range: bytes=0-9", "If-Range: x"]) {
        const answer = await exchange(server.port, get(path, header));
        expect([path, statusOf(answer)]).toEqual([path, isAddress(path) ? 404 : 400]);
        expect(answer).not.toMatch(/CANARY|root:|"version"|^content-range|^accept-ranges|"seq":1,/im);
      }
    expect(PATHS.length).toBeGreaterThanOrEqual(40);
    expect(server.log).toEqual([]);
  });
});

interface Described {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

describe("X29: compression", () => {
  const ASKED = "Accept-Encoding: gzip, br, deflate, zstd, *;q=0.5";

  test("X29: is agreed to by no route, whatever a caller would take", async () => {
    const server = await serve();
    await begun(server);
    const { paths } = (await server.get("/openapi.json")).json as Described;
    const routes = Object.entries(paths).flatMap(([path, item]) =>
      Object.keys(item)
        .filter((method) => ["get", "post", "delete", "put"].includes(method))
        .map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, "u1")}`),
    );
    expect(routes.length).toBeGreaterThan(10);
    for (const route of [...routes, "GET /", "GET /nothing", `GET ${UPGRADES}/u1/events?stream`]) {
      const type = route.endsWith("?stream") ? "Accept: text/event-stream" : "Accept: */*";
      const head = [`${route} HTTP/1.1`, "Host: localhost", "Content-Length: 0", ASKED, "TE: gzip", type];
      const answer = await exchange(server.port, [...head, "", ""].join(CRLF));
      expect(statusOf(answer)).toBeGreaterThan(0);
      expect([route, answer]).toEqual([
        route,
        expect.not.stringMatching(/^(content-encoding|transfer-encoding: .*(gzip|deflate))/im),
      ]);
    }
  });

  test("X29: is agreed to by no WebSocket, wherever it is opened", async () => {
    const server = await serve();
    await begun(server);
    for (const path of ["/", "/?channel=fleet", "/?channel=upgrade%3Au1", "/ws", UPGRADES])
      for (const extension of [
        "permessage-deflate",
        "permessage-deflate; client_max_window_bits",
        "x-webkit-deflate-frame",
      ]) {
        const answer = await exchange(
          server.port,
          get(
            path,
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            `Sec-WebSocket-Extensions: ${extension}`,
          ).replace(`Connection: close${CRLF}`, ""),
        );
        expect([101, 404]).toContain(statusOf(answer));
        expect(answer).not.toMatch(/^sec-websocket-extensions/im);
      }
  });

  test("X29: is in no part of the sources but the one that serves files, which are the same for everybody", () => {
    const folder = join(import.meta.dirname, "../../src");
    for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith(".ts") || file === join("server", "dashboard.ts")) continue;
      const text = readFileSync(join(folder, file), "utf8");
      expect([file, text]).toEqual([
        file,
        expect.not.stringMatching(
          /create(Gzip|Brotli|Deflate|Zstd)|gzip|hono\/compress|CompressionStream|perMessageDeflate: (?!false)/,
        ),
      ]);
    }
  });
});
