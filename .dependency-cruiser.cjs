// Who may import whom. Each rule names the invariant it guards in ARCHITECTURE.md. `npm run boundaries` checks it, type imports
// included; test/tooling/boundaries.test.ts breaks every rule on purpose and sees it reported.

/** A folder that may import only what `to` matches, of all that is in src/. */
const only = (name, from, to, comment) => ({
  name,
  comment,
  severity: "error",
  from: { path: from },
  to: { path: "^src/", pathNot: to },
});

const never = (name, from, to, comment) => ({
  name,
  comment,
  severity: "error",
  from: typeof from === "string" ? { path: from } : from,
  to: typeof to === "string" ? { path: to } : to,
});

const ERRORS = "errors[.]ts";
// A line is what every log and every wire carries: its layout belongs to the port.
const PORTS = "storage/(storage|line)[.]ts|notify/(notifier|delivery)[.]ts";

module.exports = {
  forbidden: [
    never("A1-no-cycles", {}, { circular: true }, "Type imports count."),
    only("A2-model-is-pure", "^src/model/", `^src/(model/|${ERRORS})`, "The model imports nothing but itself."),
    only("A2-view-is-pure", "^src/view/", `^src/(view/|model/|${ERRORS})`, "What is shown follows from the model."),
    never(
      "A3-runs-in-a-browser",
      `^src/(${ERRORS}|model/|view/|stream/(protocol[.]ts|client([.]ts$|/)))`,
      { pathNot: "^src/" },
      "No Node module and no package: time, ids and the WebSocket class come in as arguments.",
    ),
    only(
      "A4-ports-know-only-the-model",
      "^src/(storage/storage|notify/notifier)[.]ts$",
      `^src/(model/|${ERRORS})`,
      "A port is written in the words of the model.",
    ),
    never(
      "A5-a-driver-knows-only-its-port",
      // A driver is one file, `storage/json-lines.ts`, and may have a folder of its own, `storage/json-lines/`.
      { path: "^src/(storage|notify)/([^/.]+)([.]ts$|/)" },
      {
        path: "^src/(storage|notify)/",
        pathNot: `^src/($1/$2[.]ts$|$1/$2/|storage/files[.]ts$|notify/(wording|endpoint)[.]ts$|${PORTS})`,
      },
      "No driver imports another driver.",
    ),
    never(
      "A6-only-the-edges-pick-drivers",
      {
        path: "^src/",
        pathNot:
          "^src/((index|notifiers)[.]ts|open-storage[.]ts|progress-tracker(-options)?[.]ts|cli/|storage/|notify/)",
      },
      { path: "^src/(storage|notify)/", pathNot: `^src/(${PORTS})` },
      "Everything else takes the port.",
    ),
    never(
      "A6-only-the-edges-start-the-server",
      { path: "^src/", pathNot: "^src/(index[.]ts|progress-tracker(-options)?[.]ts|cli/|server/)" },
      "^src/server/",
      "Everything else works without a server.",
    ),
    never(
      "A7-core-does-not-know-its-shells",
      "^src/(model|view|tracker|storage|notify|stream|metrics|sources)/",
      "^src/((server|cli)/|progress-tracker|open-storage)|^web/",
      "A shell may be replaced without the core noticing.",
    ),
    never(
      "A7-sources-only-make-commands",
      "^src/sources/",
      "^src/(storage|notify)/",
      "What a tool or a cloud says becomes commands; where they go is not its business.",
    ),
    never(
      "A8-web-speaks-the-protocol-only",
      "^web/",
      { path: "^src/", pathNot: `^src/(stream/(protocol|client)[.]ts|(model|view)/|${ERRORS})` },
      "The dashboard knows what any other client can know.",
    ),
    never("A9-src-never-imports-tests", "^(src|web)/", "^(test|examples|bench|scripts)/", "What ships stands alone."),
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: {
      extensions: [".ts", ".tsx", ".js"],
      exportsFields: ["exports"],
      conditionNames: ["milepost-source", "import", "node", "default"],
    },
  },
};
