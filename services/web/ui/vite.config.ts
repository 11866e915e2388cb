// Scripts and styles with fixed names: the program that embeds them names them by their content. One bundle each for the
// customer's page (which stays small), the team's pages and their service worker.
import { defineConfig } from "vite";

const BUNDLES = {
  page: { input: "src/page.ts", target: "es2019" },
  staff: { input: "src/staff/main.tsx", target: "es2021" },
  sw: { input: "src/staff/worker/sw.ts", target: "es2021" },
};

export default defineConfig(({ mode }) => {
  const name = mode in BUNDLES ? (mode as keyof typeof BUNDLES) : "page";
  const { input, target } = BUNDLES[name];
  return {
    build: {
      target,
      modulePreload: false,
      cssCodeSplit: false,
      emptyOutDir: name === "page",
      rollupOptions: {
        input,
        output: { format: "iife", entryFileNames: `${name}.js`, assetFileNames: `${name}.[ext]` },
      },
    },
    define: { "process.env.NODE_ENV": '"production"' },
  };
});
