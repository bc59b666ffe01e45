/** How the dashboard is built: few files with hashed names, nothing inline, nothing from elsewhere. */

import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  base: "/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    // Browsers of the last two years: they know light-dark() and :has().
    target: ["chrome123", "edge123", "firefox128", "safari17.5"],
    outDir: "../dist/dashboard",
    emptyOutDir: true,
    // Everything is a file of its own: the content security policy allows no `data:` scripts and styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    license: { fileName: "licenses.md" },
  },
});
