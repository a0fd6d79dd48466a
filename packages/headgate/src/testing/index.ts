export { type FakeClock, fakeClock } from "./fake-clock.ts";
export {
  type Oracle,
  type OracleCharge,
  type OracleDecision,
  type OracleReading,
  type OracleSpending,
  oracle,
} from "./oracle.ts";
