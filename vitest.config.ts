import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "packages/cli/bin/**/*.test.mjs", "scripts/**/*.test.mjs", "test/house/**/*.test.ts", "test/faults/**/*.test.ts"],
          // Seeded walks are much work, and CI may be busy with more.
          testTimeout: 30_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/**/*.test.ts"],
          exclude: ["test/house/**", "test/faults/**", "**/node_modules/**"],
          // One file at a time: each has a fleet with containers of its own, and CI has two cores.
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
