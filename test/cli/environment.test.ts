import { Command, Option } from "commander";
import { describe, expect, it } from "vitest";
import { applyEnvironment, readsVariable, variableOf } from "../../src/cli/environment.ts";
import { countOption } from "../../src/cli/option-values.ts";

const parsed = (argv: readonly string[], env: Record<string, string>) => {
  const program = new Command("milepost")
    .option("--storage-path <dir>", "", "./data")
    .option("--json")
    .option("--no-color");
  const verb = program
    .command("verb")
    .option("--count <n>", "", countOption(1))
    .option("--once")
    .action(() => undefined);
  program.parse(argv, { from: "user" });
  applyEnvironment(verb, env);
  return verb.optsWithGlobals();
};

describe("applyEnvironment", () => {
  it("gives every option a variable of its name", () => {
    expect(variableOf(new Option("-q, --storage-path <dir>"))).toBe("MILEPOST_STORAGE_PATH");
    expect(variableOf(new Option("--no-color"))).toBe("MILEPOST_COLOR");
    expect(variableOf(readsVariable(new Option("--upgrade <id>"), "MILEPOST_UPGRADE_ID"))).toBe("MILEPOST_UPGRADE_ID");
  });

  it("[P3] sets options of the verb and of the program, and the command line goes first", () => {
    const env = { MILEPOST_STORAGE_PATH: "/env", MILEPOST_COUNT: "7", MILEPOST_ONCE: "yes" };
    expect(parsed(["verb"], env)).toMatchObject({ storagePath: "/env", count: 7, once: true });
    expect(parsed(["verb", "--count", "8", "--storage-path", "/flag"], env)).toMatchObject({
      storagePath: "/flag",
      count: 8,
    });
  });

  it("takes 0 and false for no, and an empty variable for none", () => {
    expect(parsed(["verb"], { MILEPOST_JSON: "0", MILEPOST_COLOR: "off", MILEPOST_STORAGE_PATH: "" })).toEqual({
      storagePath: "./data",
      json: false,
      color: false,
    });
    expect(parsed(["verb"], { MILEPOST_JSON: "1", MILEPOST_COLOR: "1" })).toMatchObject({ json: true, color: true });
  });

  it.each([
    [{ MILEPOST_COUNT: "0" }, "MILEPOST_COUNT: It is a whole number of at least 1"],
    [{ MILEPOST_ONCE: "maybe" }, 'MILEPOST_ONCE must be 1 or 0, not "maybe"'],
  ])("refuses %j by the name of the variable", (env, message) => {
    expect(() => parsed(["verb"], env as Record<string, string>)).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT", message }),
    );
  });
});
