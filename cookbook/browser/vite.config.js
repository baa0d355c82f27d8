import { defineConfig, loadEnv } from "vite";

// Every server of the built page should send this header: the page runs no other script, and sends requests to the API only.
export default defineConfig(({ mode }) => ({
  preview: {
    headers: {
      "Content-Security-Policy": `default-src 'self'; img-src data:; connect-src ${loadEnv(mode, ".").VITE_API}; base-uri 'none'; frame-ancestors 'none'`,
    },
  },
}));
