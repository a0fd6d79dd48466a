// @vitest-environment happy-dom
import { expect, test, vi } from "vitest";
import { conversationPath, currentPath, navigate, routeOf } from "./router.tsx";

test.each([
  ["/", { page: "new" }],
  ["/c/17135fe9", { page: "conversation", id: "17135fe9" }],
  ["/c/17135fe9/", { page: "conversation", id: "17135fe9" }],
  ["/c/a%2Fb", { page: "conversation", id: "a/b" }],
  ["/share/k3J", { page: "shared", token: "k3J" }],
  ["/sign-in", { page: "sign-in" }],
  ["/sign-up", { page: "sign-up" }],
  ["/c", { page: "unknown", path: "/c" }],
  ["/c/1/2", { page: "unknown", path: "/c/1/2" }],
  ["/c/%E0%A4%A", { page: "unknown", path: "/c/%E0%A4%A" }],
])("the path %s has the expected page", (path, route) => {
  expect(routeOf(path)).toEqual(route);
});

test("a conversation's path leads back to its id", () => {
  expect(routeOf(conversationPath("a/b?c"))).toEqual({ page: "conversation", id: "a/b?c" });
});

test("navigation notifies listeners immediately, and adds one history entry", () => {
  const before = history.length;
  navigate("/sign-in?next=%2Fc%2F1");
  expect(currentPath.get()).toBe("/sign-in");
  navigate("/sign-in?next=%2Fc%2F1");
  navigate("/", { replace: true });
  expect(currentPath.get()).toBe("/");
  expect(history.length).toBe(before + 1);
});

test("a path that is not a page of the app is loaded from the server, such as the operator console", () => {
  const assign = vi.spyOn(location, "assign").mockImplementation(() => {});
  const before = currentPath.get();
  navigate("/operator");
  expect(assign).toHaveBeenCalledExactlyOnceWith("/operator");
  expect(currentPath.get()).toBe(before);
});
