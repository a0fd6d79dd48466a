/** @jest-environment ./jsdom-with-fetch.js */
const { act, createElement } = require("react");
const { createRoot } = require("react-dom/client");
const { createClient, RateLimitedError } = require("headgate/client");
const { useCountdown } = require("headgate/react");

globalThis.IS_REACT_ACT_ENVIRONMENT = true;
beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

async function render(element) {
  const box = document.body.appendChild(document.createElement("div"));
  const root = createRoot(box);
  await act(async () => root.render(element));
  return { box, remove: () => act(async () => root.unmount()) };
}

test("a countdown counts to 0", async () => {
  const deadline = Date.now() + 2000;
  function Wait() {
    const { seconds, done } = useCountdown(deadline);
    return `${seconds} ${done ? "done" : "waiting"}`;
  }
  const { box, remove } = await render(createElement(Wait));
  expect(box.textContent).toBe("2 waiting");
  await act(() => jest.advanceTimersByTimeAsync(2000));
  expect(box.textContent).toBe("0 done");
  await remove();
});

test("a refused request rejects with an error that has the wait", async () => {
  const refused = () => Response.json({}, { status: 429, headers: { "Retry-After": "2" } });
  const client = createClient({ share: false, fetch: async () => refused() });
  const error = await client.fetch("http://chat.example/").catch((reason) => reason);
  expect(error).toBeInstanceOf(RateLimitedError);
  expect(error.retryAfterSeconds).toBe(2);
});
