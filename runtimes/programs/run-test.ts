/** A test that an engine runs on request. */
interface NamedTest {
  readonly name: string;
  run(): Promise<void>;
}

/** Runs the test that `?test=` names. Answers 204 if it passes, or 500 with the error. */
export async function runTest(tests: readonly NamedTest[], url: URL): Promise<Response> {
  const name = url.searchParams.get("test");
  const test = tests.find((one) => one.name === name);
  if (test === undefined) return new Response(`There is no test named ${name}.`, { status: 404 });
  try {
    await test.run();
    return new Response(null, { status: 204 });
  } catch (error) {
    return new Response(error instanceof Error ? (error.stack ?? error.message) : String(error), {
      status: 500,
    });
  }
}
