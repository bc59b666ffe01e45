import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { whyNotWritable } from "../../src/cli/writable.ts";
import { jsonLines } from "../../src/storage/json-lines.ts";
import { tempFolder } from "../temp-folder.ts";

describe("a storage path that cannot be used", () => {
  it("is refused as a file by whoever looks for an upgrade, not answered with none", () => {
    const path = join(tempFolder(), "file");
    writeFileSync(path, "");
    for (const ref of ["x", "x@1"])
      expect(() => jsonLines({ path }).openReader(ref)).toThrow(
        expect.objectContaining({ code: "STORAGE_UNUSABLE" }) as Error,
      );
  });

  it("is told from one that reports can be written to, also when that is yet to be made", () => {
    const folder = tempFolder();
    expect(whyNotWritable({ kind: "jsonl", location: join(folder, "new", "deep") })).toBeUndefined();
    expect(whyNotWritable({ kind: "memory", location: "" })).toBeUndefined();
    mkdirSync(join(folder, "data"));
    writeFileSync(join(folder, "data", "upgrades"), "");
    expect(whyNotWritable({ kind: "jsonl", location: join(folder, "data") })).toContain("cannot be written (ENOTDIR)");
  });
});
