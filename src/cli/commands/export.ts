/** `milepost export`: an upgrade as JSON, NDJSON or CSV, to standard output or into a file. */

import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { once } from "node:events";
import type { Command } from "commander";
import { checkWord } from "../../model/check.ts";
import { MilepostError, shown } from "../../errors.ts";
import { EXPORT_FORMATS, exportCsv, exportJson } from "../../view/log/export.ts";
import type { Cli, Output } from "../context.ts";
import { givenAs } from "../environment.ts";
import { isDiskFull } from "../doctor/system-error.ts";
import { storedText } from "../json-text.ts";
import { eventsOf, sourceOf, withSourceOptions, type SourceOptions } from "../source.ts";
import type { Source } from "../source/port.ts";

interface Options extends SourceOptions {
  readonly format: string;
  readonly output?: string;
}

export function addExport(program: Command, cli: Cli): void {
  withSourceOptions(program.command("export"))
    .description("write an upgrade as JSON (events and state), NDJSON (the stored bytes) or CSV (one row per event)")
    .argument("<id>", "the upgrade, or <id>@<n> for a finished run")
    .option("--format <format>", EXPORT_FORMATS.join(", "), "json")
    .option("-o, --output <file>", "write into this file, whole or not at all")
    .action((id: string, _options, command: Command) => exportUpgrade(cli, id, command));
}

async function exportUpgrade(cli: Cli, id: string, command: Command): Promise<void> {
  const options = command.optsWithGlobals<Options>();
  const format = checkWord(options.format, givenAs(command, "--format"), EXPORT_FORMATS);
  const chunks = chunksOf(format, sourceOf(cli, command), id);
  if (options.output === undefined) await writeChunks(cli.stdout, chunks, cli.outputClosed);
  else await writeFile(options.output, chunks);
}

type Chunks = AsyncIterable<string | Uint8Array>;

function chunksOf(format: (typeof EXPORT_FORMATS)[number], source: Source, id: string): Chunks {
  // The stored bytes: each line is an event as it was written, with its checksum.
  if (format === "ndjson") return source.lines(id);
  return (format === "json" ? exportJson : exportCsv)(eventsOf(source, id));
}

/** Writes as fast as the reader takes it, and stops when it has gone. */
async function writeChunks(output: Output, chunks: Chunks, closed: AbortSignal): Promise<void> {
  for await (const chunk of chunks) {
    if (closed.aborted) return;
    if (!output.write(storedText(output, chunk))) await Promise.race([once(output, "drain"), once(closed, "abort")]);
  }
}

/** A file that is half written never has the name that was asked for. */
async function writeFile(path: string, chunks: Chunks): Promise<void> {
  const partial = `${path}.${process.pid}.part`;
  const output = createWriteStream(partial, { flags: "wx" });
  try {
    await once(output, "open");
    await writeChunks(output, chunks, new AbortController().signal);
    output.end();
    await once(output, "finish");
    await rename(partial, path);
  } catch (error) {
    output.destroy();
    await rm(partial, { force: true });
    throw isSystemError(error) ? outputError(path, error) : error;
  }
}

/** What is wrong with the name that was given; anything else is wrong with the machine. */
const NAME_ERRORS = new Set([
  "ENOENT",
  "ENOTDIR",
  "EISDIR",
  "EACCES",
  "EPERM",
  "EROFS",
  "ENAMETOOLONG",
  "ELOOP",
  "EEXIST",
]);

/** The error for a file that cannot be written: INVALID_ARGUMENT when another name helps, else STORAGE_DEGRADED. */
export function outputError(path: string, error: NodeJS.ErrnoException): MilepostError {
  const what = `--output ${shown(path)} cannot be written`;
  if (NAME_ERRORS.has(error.code ?? "")) {
    const remedy = "name a file in a folder that you may write to";
    return new MilepostError("INVALID_ARGUMENT", `${what} (${error.code}); ${remedy}`, { cause: error });
  }
  const why = isDiskFull(error) ? "the disk is full" : "the system refused it";
  const remedy = isDiskFull(error) ? "free space, or name a file on another disk" : "mend that, or name another file";
  return new MilepostError("STORAGE_DEGRADED", `${what}: ${why} (${error.message}); ${remedy}`, { cause: error });
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException & { readonly code: string } {
  return (
    error instanceof Error &&
    error.name !== "MilepostError" &&
    typeof (error as NodeJS.ErrnoException).code === "string"
  );
}
