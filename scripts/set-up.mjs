/**
 * Set-up of a clone, run before `npm start`, `npm test`, `npm run bench` and `npm run check`: installs what package-lock.json
 * names unless it is there, then makes sure that a new enough Node runs what follows. Silent when there is nothing to do.
 *
 * Plain JavaScript that runs on Node 20: on such a machine the lock brings Node 24 as a package, and npm puts its folder first in PATH.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** A clone runs its TypeScript as it is, which Node does from here on. The built package needs less: see bin/milepost.js. */
const NEEDED = [22, 18];

/** What identifies an install: the lock, and the machine it was made for. */
const fingerprint = (root) =>
  createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .update(`${process.platform}-${process.arch}`)
    .digest("hex");

const stampFile = (root) => join(root, "node_modules", ".milepost-set-up");

const isInstalled = (root) =>
  existsSync(stampFile(root)) && readFileSync(stampFile(root), "utf8") === fingerprint(root);

const isNewEnough = (version) => {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  return major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1]);
};

const isAlive = (pid) => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
};

const sleep = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

/** Runs `work` while no other set-up of the same clone does. The lock file holds its owner's pid, and a dead owner's is free. */
const alone = (root, work) => {
  const lock = join(
    tmpdir(),
    `milepost-set-up-${createHash("sha256").update(resolve(root)).digest("hex").slice(0, 16)}`,
  );
  const mine = `${lock}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  try {
    for (let tries = 0; !linked(mine, lock); tries += 1) {
      const owner = readOwner(lock);
      if (tries === 1) say(`waiting for another set-up of this clone (process ${owner})`);
      if (owner !== undefined && !isAlive(owner)) {
        for (const left of [lock, `${lock}.${owner}`]) rmSync(left, { force: true });
      } else sleep(200);
    }
    try {
      return work();
    } finally {
      rmSync(lock, { force: true });
    }
  } finally {
    rmSync(mine, { force: true });
  }
};

const linked = (from, to) => {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
};

const readOwner = (lock) => {
  try {
    return Number(readFileSync(lock, "utf8"));
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
};

const say = (line) => process.stdout.write(`milepost: ${line}\n`);

const stop = (line) => {
  process.stderr.write(`milepost: ${line}\n`);
  process.exit(1);
};

/** PATH as npm gives it to scripts, with the packages' programs first. */
const scriptEnv = (root) => ({
  ...process.env,
  PATH: [join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter),
});

/**
 * NODE_ENV=production, `omit` settings and `engine-strict` would each leave out the Node that the next step needs, so all are answered here.
 * npm runs on the Node it was started with, never on the one it is about to replace.
 */
const install = (root) => {
  const args = [
    "ci",
    "--include=dev",
    "--include=optional",
    "--engine-strict=false",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ];
  const npm = process.env.npm_execpath;
  const [program, first] = npm ? [process.env.npm_node_execpath ?? process.execPath, [npm]] : ["npm", []];
  const { status } = spawnSync(program, [...first, ...args], { cwd: root, stdio: "inherit" });
  if (status !== 0) stop(`npm ci failed (exit ${status}); what it printed above says why.`);
};

const nodeOfScripts = (root) => {
  const { stdout } = spawnSync("node --version", { env: scriptEnv(root), encoding: "utf8", shell: true });
  return (stdout ?? "").trim();
};

const setUp = (root) => {
  const isFresh = !isInstalled(root);
  if (isFresh) {
    alone(root, () => {
      if (isInstalled(root)) return;
      say("installing what package-lock.json names (npm ci)");
      install(root);
      writeFileSync(stampFile(root), fingerprint(root));
    });
  }
  const version = nodeOfScripts(root);
  if (!isNewEnough(version)) {
    stop(
      `needs Node ${NEEDED.join(".")} or newer, and npm brought none for ${process.platform}-${process.arch}; found ${version || "none"}. Install a newer Node and run this again.`,
    );
  }
  if (isFresh && version !== process.version)
    say(`runs on Node ${version} from node_modules; this machine's own is ${process.version}`);
};

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  setUp(resolve(import.meta.dirname, ".."));
}
