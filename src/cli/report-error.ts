/** How trouble is told on standard error, and the exit status it has. */

import type { CommanderError } from "commander";
import { ERRORS, isMilepostError, type ErrorCode } from "../errors.ts";
import { safeText } from "../view/text/safe-text.ts";
import type { Cli } from "./context.ts";
import { jsonText } from "./json-text.ts";

/** What a server cannot know to say to somebody at a command line. */
const WHO_ASKS = "; MILEPOST_TOKEN, or --token, says who asks";
const HINTS: Partial<Record<ErrorCode, string>> = { UNAUTHENTICATED: WHO_ASKS, TOKEN_EXPIRED: WHO_ASKS };

/**
 * Tells an error in one line with its code and sets its exit status: that of its code, 1 for any other. With `json` a JSON object
 * follows on a line of its own. MILEPOST_DEBUG adds the stack.
 */
export function reportError(cli: Cli, error: unknown, { json = false }: { readonly json?: boolean } = {}): void {
  const isOurs = isMilepostError(error);
  const code = isOurs && Object.hasOwn(ERRORS, error.code) ? error.code : undefined;
  cli.exitCode = code === undefined ? 1 : ERRORS[code].exitCode;
  const message = `${error instanceof Error ? error.message : String(error)}${isOurs ? (HINTS[error.code] ?? "") : ""}`;
  const isDebug = (cli.env["MILEPOST_DEBUG"] ?? "") !== "";
  const hint = isOurs ? ` (${error.code})` : isDebug ? "" : " (MILEPOST_DEBUG=1 shows where)";
  cli.stderr.write(`milepost: ${safeText(message)}${hint}\n`);
  if (isDebug && error instanceof Error && error.stack !== undefined) cli.stderr.write(`${stackLines(error)}\n`);
  if (json) cli.stderr.write(`${jsonText({ error: { code: code ?? null, message, exitCode: cli.exitCode } })}\n`);
}

function stackLines(error: Error): string {
  const own = (error.stack ?? "").split("\n").map(safeText).join("\n");
  return error.cause instanceof Error ? `${own}\ncaused by ${stackLines(error.cause)}` : own;
}

/** Tells what was wrong with the command line; help and version are no error. */
export function reportUsage(cli: Cli, error: CommanderError): void {
  if (error.exitCode === 0) return;
  cli.exitCode = ERRORS.INVALID_ARGUMENT.exitCode;
  const message = error.message
    .replace(/^error: /, "")
    .replaceAll(/\s*\n\s*/g, " ")
    .trim()
    .replace(/\.$/, "");
  cli.stderr.write(`milepost: ${safeText(message)}; milepost --help lists what there is (INVALID_ARGUMENT)\n`);
}
