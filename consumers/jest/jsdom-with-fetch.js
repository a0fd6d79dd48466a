/** Adds Node's fetch to jsdom, which has no fetch. */
const { TestEnvironment } = require("jest-environment-jsdom");

module.exports = class extends TestEnvironment {
  async setup() {
    await super.setup();
    Object.assign(this.global, { fetch, Headers, Request, Response, ReadableStream });
  }
};
