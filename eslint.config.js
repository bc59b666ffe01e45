import tseslint from "typescript-eslint";

const FORBIDDEN_SYNTAX = [
  { selector: "ExportAllDeclaration", message: "Name what is exported: `export *` leaks internals." },
  { selector: "ExportDefaultDeclaration", message: "Export by name." },
];

/** Config files must export by default, because their tools say so. */
const CONFIG_FILES = ["*.config.{js,ts}", "web/vite.config.ts", "test/reporter.ts"];

const config = tseslint.config(
  { ignores: ["dist/", "dist.*/", "coverage/", "data/", "test/**/fixtures/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["**/*.{ts,tsx}"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-floating-promises": [
        "error",
        { allowForKnownSafeCalls: [{ from: "package", package: "vitest", name: ["test", "it", "describe"] }] },
      ],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      // An interface may promise a Promise that one of its drivers has no need to wait for.
      "@typescript-eslint/require-await": "off",
    },
  },
  {
    files: ["**/*.{ts,tsx,js,mjs,cjs}"],
    rules: {
      "no-restricted-syntax": ["error", ...FORBIDDEN_SYNTAX],
      "max-lines": ["error", { max: 350, skipBlankLines: false, skipComments: false }],
      "max-lines-per-function": ["error", { max: 70, skipBlankLines: false, skipComments: false }],
      "max-params": ["error", 4],
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-control-regex": "error",
      "no-var": "error",
      "prefer-const": "error",
    },
  },
  {
    files: ["test/**/*.ts"],
    rules: {
      "max-lines-per-function": "off",
      // A test reads JSON that it has just written.
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-return": "off",
    },
  },
  { files: CONFIG_FILES, rules: { "no-restricted-syntax": "off" } },
);

export default config;
