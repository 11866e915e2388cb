// One script and one style with fixed names: the program that embeds them names them by their content.
import { defineConfig } from "vite";

export default defineConfig({
  build: {
    target: "es2019",
    modulePreload: false,
    cssCodeSplit: false,
    rollupOptions: {
      input: "src/page.ts",
      output: { format: "iife", entryFileNames: "page.js", assetFileNames: "page.[ext]" },
    },
  },
});
