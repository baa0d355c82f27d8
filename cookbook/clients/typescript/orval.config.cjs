module.exports = {
  quickstart: {
    input: "./openapi.json",
    output: { target: "./orval/api.ts", client: "fetch", override: { mutator: { path: "./send.ts", name: "send", extension: ".js" } } },
  },
};
