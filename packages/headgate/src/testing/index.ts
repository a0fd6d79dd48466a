export {
  type AdapterAnswer,
  type AdapterCaller,
  type AdapterGuard,
  type AdapterRoute,
  type AdapterSuiteOptions,
  type AdapterTest,
  adapterSuite,
  optionsFor,
  type ReadField,
  type ServedRoute,
} from "./adapter-suite/index.ts";
export { type FakeClock, fakeClock } from "./fake-clock.ts";
export {
  type Oracle,
  type OracleCharge,
  type OracleDecision,
  type OracleReading,
  type OracleSpending,
  oracle,
} from "./oracle.ts";
export {
  type StoreSuiteOptions,
  type StoreTest,
  type StoreUnderTest,
  storeSuite,
} from "./store-suite/index.ts";
