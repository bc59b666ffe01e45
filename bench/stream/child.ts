/** A measured process and its parent: requests with answers over the channel of `fork`. */

import { fork, type ChildProcess } from "node:child_process";

interface Answer {
  readonly id: number;
  readonly answer: unknown;
}

const children = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

export class Child {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  #lastId = 0;

  constructor(script: string, args: readonly string[] = []) {
    this.#process = fork(new URL(script, import.meta.url), args, {
      execArgv: ["--conditions=milepost-source", "--expose-gc", "--disable-warning=ExperimentalWarning"],
    });
    children.add(this.#process);
    this.#process.on("message", ({ id, answer }: Answer) => {
      this.#waiting.get(id)?.(answer);
      this.#waiting.delete(id);
    });
    this.#process.on("exit", (code) => {
      children.delete(this.#process);
      if (this.#waiting.size > 0) throw new Error(`${script} ${args.join(" ")} ended with ${code}`);
    });
  }

  /** The answer that comes without a request: that it has begun. */
  begun<T>(): Promise<T> {
    return new Promise((resolve) => this.#waiting.set(0, resolve as (answer: unknown) => void));
  }

  ask<T>(request: object): Promise<T> {
    const id = ++this.#lastId;
    this.#process.send({ ...request, id });
    return new Promise((resolve) => this.#waiting.set(id, resolve as (answer: unknown) => void));
  }

  end(): void {
    this.#process.disconnect();
  }
}
