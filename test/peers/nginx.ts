/** A real nginx in front of a server, with the configuration that docs/load-balancer.md gives. */

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { program } from "./program.ts";
import { run } from "./python.ts";

const DOCUMENT = fileURLToPath(new URL("../../docs/load-balancer.md", import.meta.url));
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/milepost-peers", import.meta.url));
/** The name that the document uses, for which {@link certificate} is. */
export const PUBLIC_NAME = "milepost.example.com";

/** This machine's own nginx, else Debian's, unpacked into a folder and not installed; undefined where there is neither. */
export async function nginxCommand(): Promise<string | undefined> {
  const unpacked = join(CACHE, "nginx", "usr", "sbin", "nginx");
  const there = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", unpacked].find((path) => existsSync(path));
  if (there !== undefined) return there;
  const folder = join(CACHE, "nginx.part");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    await run("apt-get", ["download", "--quiet", "nginx"], { cwd: folder });
    await run("sh", ["-c", "dpkg-deb --extract nginx_*.deb ."], { cwd: folder });
    await run(join(folder, "usr", "sbin", "nginx"), ["-v"]);
  } catch {
    return undefined;
  }
  renameSync(folder, join(CACHE, "nginx"));
  return unpacked;
}

export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

/** Of the public name, signed by itself, made anew for each test. */
export async function certificate(folder: string): Promise<Certificate> {
  const [made, key] = [join(folder, "certificate.pem"), join(folder, "key.pem")];
  const subject = ["-subj", `/CN=${PUBLIC_NAME}`, "-addext", `subjectAltName=DNS:${PUBLIC_NAME}`];
  const type = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  await run("openssl", ["req", "-x509", ...type, ...subject, "-keyout", key, "-out", made]);
  return { certificate: made, key };
}

export interface NginxOptions {
  readonly command: string;
  readonly folder: string;
  readonly serverPort: number;
  readonly tls: Certificate;
  /** Changes the configuration of the document, as one test needs it. */
  readonly change?: (configuration: string) => string;
}

/** Runs until the present test has ended. Resolves with its port. */
export async function startNginx(options: NginxOptions): Promise<number> {
  const { command, folder, serverPort, tls, change = (text) => text } = options;
  const port = await freePort();
  const site = replaced(change(documented()), {
    "server 127.0.0.1:8765": `server 127.0.0.1:${serverPort}`,
    "listen 443 ssl": `listen 127.0.0.1:${port} ssl`,
    "/etc/ssl/milepost.pem": tls.certificate,
    "/etc/ssl/milepost.key": tls.key,
  });
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  );
  const whole = [
    // One process: a worker would outlive a master that is killed.
    `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr crit;`,
    "events { worker_connections 256; }",
    `http { access_log off; ${temporary.join(" ")}`,
    site,
    "}",
  ].join("\n");
  const file = join(folder, "nginx.conf");
  writeFileSync(file, whole);
  const { ended } = program(command, ["-e", "stderr", "-p", folder, "-c", file]);
  await Promise.race([isListening(port), ended]);
  return port;
}

/** The configuration that the document gives. */
function documented(): string {
  const [, text] = /```nginx\n([^]*?)```/.exec(readFileSync(DOCUMENT, "utf8")) ?? [];
  if (text === undefined) throw new Error("docs/load-balancer.md has no nginx configuration");
  return text;
}

/** @throws when one is not there: then the document has changed, and this with it. */
export function replaced(text: string, pieces: Readonly<Record<string, string>>): string {
  return Object.entries(pieces).reduce((whole, [piece, by]) => {
    if (!whole.includes(piece)) throw new Error(`docs/load-balancer.md says nothing of ${piece}`);
    return whole.replace(piece, by);
  }, text);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The program does not say so itself. */
async function isListening(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const isThere = await fetch(`http://127.0.0.1:${port}`).then(
      () => true,
      (error: unknown) => (error as { cause?: NodeJS.ErrnoException }).cause?.code !== "ECONNREFUSED",
    );
    if (isThere) return;
    await wait(50);
  }
}
