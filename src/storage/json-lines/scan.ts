/** Reads every byte of a journal, also behind damage, and says what is wrong with it. Changes nothing. */

import { isMilepostError, type MilepostError } from "../../errors.ts";
import { openToRead, readAt, type FileSystem } from "../files.ts";
import { headAt, holdsWholeLine, isSealed, MAX_LINE_BYTES } from "../line.ts";
import { faultOf, headsIn, opensTerm, readChain, type FoundHead, type JournalHeader, type Segment } from "./journal.ts";

const CHUNK_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;
const MAX_PROBLEMS = 1000;

/** One place where a log is damaged. */
export interface LogProblem {
  readonly file: string;
  /** In bytes from the file's beginning. */
  readonly offset: number;
  /** The seq of the last event before it. */
  readonly seq: number;
  /** In words, to follow the name of the file: "holds a damaged line". */
  readonly what: string;
}

/** Bytes at the end of a log that are no whole line: what a crash may leave. They are no damage. */
export interface TornTail {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

/** What is in a journal. */
export interface JournalScan {
  readonly chain: readonly Segment[];
  /** How many events can be read, from the first on. */
  readonly events: number;
  /** How many whole events stand behind the first damage, in any file. */
  readonly eventsBehind: number;
  /** The first 1,000, in the order of the log. Empty for a log that is whole. */
  readonly problems: readonly LogProblem[];
  readonly tornTail?: TornTail;
}

/** @param onLine - is given the lines that can be read, in order, up to the first damage. @throws NEWER_FORMAT. */
export function scanJournal(
  fs: FileSystem,
  directory: string,
  onLine: (line: Buffer) => void = () => undefined,
): JournalScan {
  const { chain, damage } = chainAsFarAsItGoes(fs, directory);
  const scanner = new Scanner(fs, chain[0]?.header.logId ?? "", onLine);
  for (const segment of chain) scanner.scan(segment);
  const { events, problems } = scanner;
  if (damage !== undefined) problems.push({ ...placeOf(damage, directory), seq: scanner.lastSeq });
  else problems.push(...cutHeads(fs, directory, chain).map((place) => ({ ...place, seq: scanner.lastSeq })));
  if (problems.length > 0) {
    const inChain = new Set(chain.map(({ path }) => path));
    for (const { path } of headsIn(fs, directory)) if (!inChain.has(path)) scanner.countBehind(path);
  }
  const tail = scanner.tornTail === undefined ? {} : { tornTail: scanner.tornTail };
  return { chain, events, eventsBehind: scanner.behind.size, problems, ...tail };
}

/** A file gets its name with its header whole, or empty. One that has less of it was cut. */
function cutHeads(fs: FileSystem, directory: string, chain: readonly Segment[]): Omit<LogProblem, "seq">[] {
  const first = chain[0]?.header.journal ?? 0;
  return headsIn(fs, directory)
    .filter(({ file, path, head }) => head === undefined && file > first && fs.statSync(path).size > 0)
    .map(({ path }) => ({ file: path, offset: 0, what: "ends inside its first line" }));
}

function placeOf(error: MilepostError, directory: string): Omit<LogProblem, "seq"> {
  const { file = directory, offset = 0, what = "is damaged" } = error.context as Partial<LogProblem>;
  return { file, offset, what };
}

/** The chain, or where it is broken that part of it which begins at the log's beginning. */
function chainAsFarAsItGoes(fs: FileSystem, directory: string): { chain: readonly Segment[]; damage?: MilepostError } {
  try {
    return { chain: readChain(fs, directory) };
  } catch (error) {
    if (!isMilepostError(error, "CORRUPT")) throw error;
    return { chain: chainFromItsBeginning(fs, directory), damage: error };
  }
}

function chainFromItsBeginning(fs: FileSystem, directory: string): Segment[] {
  const heads = headsIn(fs, directory).reverse();
  const first = heads.findLast(({ head }) => head?.header.previous === null) ?? heads[0];
  if (first === undefined) return [];
  const head = first.head ?? headFromLines(fs, first);
  if (head === undefined) return [];
  const chain: Segment[] = [{ path: first.path, ...head, afterSeq: 0, endBytes: null }];
  for (let current = first; ;) {
    const next = heads
      .filter(({ file, head: its }) => file > current.file && its?.header.previous?.file === current.file)
      .filter(({ head: its }) => its?.header.logId === head.header.logId)
      .sort((a, b) => generationOf(a) - generationOf(b) || a.file - b.file)
      .at(-1);
    const previous = next?.head?.header.previous;
    if (next?.head === undefined || previous == null) return chain;
    chain.push({ ...(chain.pop() as Segment), endBytes: previous.bytes });
    chain.push({ path: next.path, ...next.head, afterSeq: previous.seq, endBytes: null });
    current = next;
  }
}

const generationOf = ({ head }: FoundHead): number => head?.header.generation ?? 0;

/** What the damaged first line of a log's first file must have said, as far as its events tell. */
function headFromLines(fs: FileSystem, { file, path }: FoundHead): FoundHead["head"] {
  for (const { bytes, offset } of linesOf(fs, path, { from: 0 })) {
    const first = isSealed(bytes, 0, bytes.length) ? headAt(bytes, 0) : undefined;
    if (first === undefined) continue;
    if (first.seq !== 1) return undefined;
    const header: JournalHeader = {
      journal: file,
      format: 1,
      logId: first.logId,
      upgradeId: "",
      run: 0,
      generation: 0,
      previous: null,
    };
    return { header, headerBytes: offset };
  }
  return undefined;
}

/** Pieces of a file that end in a newline; what has none for longer than any line comes in pieces without. */
function* linesOf(
  fs: FileSystem,
  path: string,
  { from, to = Infinity }: { from: number; to?: number },
): Generator<{ readonly bytes: Buffer; readonly offset: number }, undefined> {
  const fd = openToRead(fs, path);
  try {
    let rest: Buffer = Buffer.alloc(0);
    for (let at = from; at < to;) {
      const chunk = readAt(fs, fd, at, Math.min(CHUNK_BYTES, to - at));
      if (chunk.length === 0) break;
      at += chunk.length;
      rest = Buffer.concat([rest, chunk]);
      let start = 0;
      for (let end = rest.indexOf(NEWLINE) + 1; end > 0; end = rest.indexOf(NEWLINE, start) + 1) {
        yield { bytes: rest.subarray(start, end), offset: at - rest.length + start };
        start = end;
      }
      rest = rest.subarray(start);
      if (rest.length <= MAX_LINE_BYTES) continue;
      yield { bytes: rest, offset: at - rest.length };
      rest = Buffer.alloc(0);
    }
    if (rest.length > 0) yield { bytes: rest, offset: endOf(fs, fd, to) - rest.length };
  } finally {
    fs.closeSync(fd);
  }
  return undefined;
}

const endOf = (fs: FileSystem, fd: number, to: number): number => Math.min(to, fs.fstatSync(fd).size);

/** Goes through a chain line by line. After damage it takes up again at the next whole line. */
class Scanner {
  events = 0;
  tornTail: TornTail | undefined;
  readonly problems: LogProblem[] = [];
  /** The seqs behind the first damage. */
  readonly behind = new Set<number>();
  readonly #fs: FileSystem;
  readonly #logId: string;
  readonly #onLine: (line: Buffer) => void;
  #seq = 0;
  #term: string | undefined;

  constructor(fs: FileSystem, logId: string, onLine: (line: Buffer) => void) {
    this.#fs = fs;
    this.#logId = logId;
    this.#onLine = onLine;
  }

  get lastSeq(): number {
    return this.#seq;
  }

  scan({ path, headerBytes, afterSeq, endBytes }: Segment): void {
    if (afterSeq !== this.#seq) {
      this.#add(path, headerBytes, `begins after seq ${afterSeq}, but the file before it ends at ${this.#seq}`);
      this.#seq = afterSeq;
      this.#term = undefined;
    }
    let end = headerBytes;
    let brokenAt: number | undefined;
    for (const { bytes, offset } of linesOf(this.#fs, path, { from: headerBytes, to: endBytes ?? Infinity })) {
      end = offset + bytes.length;
      if (isSealed(bytes, 0, bytes.length)) {
        if (brokenAt !== undefined) this.#skip(path, brokenAt, bytes);
        brokenAt = undefined;
        this.#accept(path, offset, bytes);
      } else if (holdsWholeLine(bytes, 0)) {
        this.#add(path, brokenAt ?? offset, "holds a damaged line with a whole one joined to it");
        brokenAt = undefined;
        this.#term = undefined;
      } else brokenAt ??= offset;
    }
    if (endBytes === null)
      this.tornTail = brokenAt === undefined ? undefined : { file: path, offset: brokenAt, bytes: end - brokenAt };
    else if (brokenAt !== undefined) this.#add(path, brokenAt, "holds a damaged line");
    else if (end < endBytes) this.#add(path, end, `ends at byte ${end}, but should hold ${endBytes}`);
  }

  /** Whole events of this log in a file that the chain does not reach. */
  countBehind(path: string): void {
    for (const { bytes } of linesOf(this.#fs, path, { from: 0 })) {
      const head = isSealed(bytes, 0, bytes.length) ? headAt(bytes, 0) : undefined;
      if (head !== undefined && head.logId === this.#logId && head.seq > this.events) this.behind.add(head.seq);
    }
  }

  #skip(path: string, offset: number, next: Buffer): void {
    this.#add(path, offset, "holds a damaged line with whole ones behind it");
    const head = headAt(next, 0);
    if (head !== undefined && head.seq > this.#seq) this.#seq = head.seq - 1;
    this.#term = undefined;
  }

  #accept(path: string, offset: number, bytes: Buffer): void {
    const head = headAt(bytes, 0);
    const fault = faultOf(head, { seq: this.#seq, logId: this.#logId, term: this.#term }, () => opensTerm(bytes));
    if (fault !== undefined) this.#add(path, offset, fault);
    if (head === undefined || head.logId !== this.#logId) return;
    this.#seq = head.seq;
    this.#term = head.term;
    if (this.problems.length > 0) {
      if (head.seq > this.events) this.behind.add(head.seq);
      return;
    }
    this.events += 1;
    this.#onLine(bytes);
  }

  #add(file: string, offset: number, what: string): void {
    if (this.problems.length < MAX_PROBLEMS) this.problems.push({ file, offset, seq: this.#seq, what });
  }
}
