import { describe, expect, it } from "vitest";
import { parseRedisUrl } from "./address.ts";

const plain = {
  driver: "redis",
  tls: false,
  hosts: [{ host: "localhost", port: 6379 }],
  username: undefined,
  password: undefined,
  database: 0,
  cluster: false,
  sentinel: undefined,
  prefix: undefined,
};

describe("parseRedisUrl", () => {
  it.each([
    ["redis://localhost", plain],
    ["redis://", plain],
    ["REDIS://localhost:6379/", plain],
    ["redis://localhost/3", { ...plain, database: 3 }],
    ["rediss://localhost", { ...plain, tls: true }],
    ["valkey://localhost", { ...plain, driver: "valkey" }],
    ["valkeys://localhost", { ...plain, driver: "valkey", tls: true }],
    ["redis://:s%40cret@localhost", { ...plain, password: "s@cret" }],
    ["redis://app:a:b@localhost", { ...plain, username: "app", password: "a:b" }],
    ["redis://app:p@ss@localhost", { ...plain, username: "app", password: "p@ss" }],
    ["redis://[::1]:7000", { ...plain, hosts: [{ host: "::1", port: 7000 }] }],
    ["redis://localhost?prefix=shop%3A", { ...plain, prefix: "shop:" }],
    [
      "redis://a:1,b:2,c?cluster=true",
      {
        ...plain,
        cluster: true,
        hosts: [
          { host: "a", port: 1 },
          { host: "b", port: 2 },
          { host: "c", port: 6379 },
        ],
      },
    ],
    [
      "redis://:pw@a,b:2/1?sentinel=main",
      {
        ...plain,
        password: "pw",
        database: 1,
        sentinel: "main",
        hosts: [
          { host: "a", port: 26_379 },
          { host: "b", port: 2 },
        ],
      },
    ],
  ])("reads %s", (url, address) => {
    expect(parseRedisUrl(url)).toEqual(address);
  });

  it.each([
    ["redis:/localhost", "cannot be read: write redis://"],
    ["redis://user:hunter2@host:port", "has a host that cannot be read"],
    ["redis://:hunter2@localhost:0", "has port 0: ports go from 1 to 65535"],
    ["redis://:hunter2@localhost:70000", "has port 70000"],
    ["redis://:hunter2@localhost/main", "has a path that is no database number"],
    ["redis://:hunter2%@localhost", "has a % in its user or password"],
    ["redis://:hunter2@a,b", "names several hosts: add ?cluster=true or ?sentinel="],
    ["redis://:hunter2@a?cluster=yes", 'has cluster="yes": write true or false'],
    ["redis://:hunter2@a?cluster=1&sentinel=main", "names both cluster and sentinel"],
    ["redis://:hunter2@a/2?cluster=1", "names database 2: a cluster has database 0 only"],
    ["redis://:hunter2@a?sentinel=", "has an empty sentinel"],
    ["redis://:hunter2@a?timeout=5", 'has no option "timeout": it takes cluster, sentinel and prefix'],
  ])("reports the mistake in %s without the password", (url, message) => {
    const parse = () => parseRedisUrl(url);
    expect(parse).toThrow(expect.objectContaining({ name: "HeadgateError", code: "store-invalid" }));
    expect(parse).toThrow(`The Redis URL ${message}`);
    expect(parse).not.toThrow("hunter2");
  });
});
