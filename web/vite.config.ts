/** How the dashboard is built: few files with hashed names, nothing inline, nothing from elsewhere. */

import { defineConfig } from "vite";

/** What every page needs is one file: many small ones would be larger together, and slower. */
const CORE =
  /node_modules|\/src\/(errors\.ts|(model|stream|parts)\/|(duration|log-time|safe-text|status-words)\.ts)|web\/src\/(?!main)[\w-]+\.tsx?$/;

export default defineConfig({
  root: import.meta.dirname,
  base: "/",
  // The older of the two ways to write elements down: the same at run time, and shorter.
  oxc: {
    jsx: { runtime: "classic", pragma: "h", pragmaFrag: "Fragment" },
    jsxInject: `import { h, Fragment } from "preact"`,
  },
  build: {
    // Browsers of the last two years: they know light-dark() and :has().
    target: ["chrome123", "edge123", "firefox128", "safari17.5"],
    outDir: "../dist/dashboard",
    emptyOutDir: true,
    // Everything is a file of its own: the content security policy allows no `data:` scripts and styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // Which file needs which: a test adds up what each page loads.
    manifest: "files.json",
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "core", test: CORE }] } } },
    license: { fileName: "licenses.md" },
  },
});
