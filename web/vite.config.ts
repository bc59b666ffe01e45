/** How the dashboard is built: one script with a hashed name, nothing inline, nothing from elsewhere. */

import { minify } from "terser";
import { defineConfig, type Plugin } from "vite";

import { likeBesideLike } from "./like-beside-like.ts";

export default defineConfig({
  root: import.meta.dirname,
  base: "/",
  plugins: [compressed(), likeBesideLike(), named()],
  // The older of the two ways to write elements down: the same at run time, and shorter.
  oxc: {
    jsx: { runtime: "classic", pragma: "h", pragmaFrag: "Fragment" },
    jsxInject: `import { h, Fragment } from "preact"`,
  },
  // Nobody looks into signals here.
  define: { "window.__PREACT_SIGNALS_DEVTOOLS__": "false", "typeof window": '"object"' },
  build: {
    // Browsers of the last two years: they know light-dark() and :has().
    target: ["chrome123", "edge123", "firefox128", "safari17.5"],
    outDir: "../dist/dashboard",
    emptyOutDir: true,
    // Everything is a file of its own: the content security policy allows no `data:` scripts and styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      // One file: what is split is larger together, because each part is compressed by itself.
      output: { codeSplitting: false },
      // Only data and functions: what nothing uses of them goes.
      treeshake: { moduleSideEffects: [{ test: /\/src\/(model|stream|view)\//, sideEffects: false }] },
    },
    license: { fileName: "licenses.md" },
  },
});

/** Says the same in less, over and over; Vite's own minifier comes after it. */
function compressed(): Plugin {
  return {
    name: "compressed",
    renderChunk: async (code) => {
      // What becomes part of where it is used is no function that could stand beside its like.
      const compress = { ecma: 2020, passes: 3, hoist_funs: true, keep_fargs: false, reduce_funcs: false } as const;
      const { code: less = code } = await minify(code, { module: true, compress, mangle: false });
      return { code: less, map: null };
    },
  };
}

/** Gives names again when all stands in its place: functions beside each other get names that begin alike. */
function named(): Plugin {
  return {
    name: "named",
    generateBundle: async (_, files) => {
      for (const file of Object.values(files)) {
        if (file.type !== "chunk") continue;
        const { code = file.code } = await minify(file.code, { module: true, compress: false, mangle: true });
        file.code = code;
      }
    },
  };
}
