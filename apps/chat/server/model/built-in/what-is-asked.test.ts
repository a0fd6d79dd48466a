/** What is asked is answered, or named as left out: not another thing that the message names too. */
import { describe, expect, test } from "vitest";
import { asked } from "../../../testing/asked.ts";

type Row = [question: string, owed: RegExp, never?: RegExp];

const explained: Row[] = [
  ["what is 0T on my payslip", /no P45/, /statement with each payment/],
  ["what does 0T mean on my payslip? new job since june", /no P45/, /statement with each payment/],
  ["what does payslip mean", /statement with each payment/],
  ["what is adjusted net income", /Gift Aid/, /What is left of your pay/],
  ["how is my adjusted net income calculated", /Gift Aid/, /What is left of your pay/],
  ["there is a minus amount of tax on my payslip, why", /paid back/, /statement with each payment/],
  ["why is the tax on my payslip negative", /paid back/, /statement with each payment/],
  ["tax is minus 80 on my payslip, why", /paid back/, /can't be below/],
  ["is the government going to raise national insurance", /can't tell/, /A deduction from pay/],
  ["will the chancellor cut income tax next year", /can't tell/, /A tax on what you earn/],
  ["is salary sacrifice being scrapped", /April 2029/],
  ["can i still use salary sacrifice", /April 2029/],
  ["what is salary sacrifice", /lower salary/, /2029/],
  ["will paying into a pension reduce my student loan repayments", /By salary sacrifice yes/],
  ["marriage allowance or married couple's allowance, which is which", /1935/],
  ["is a payslip saying 2,900 net right for someone on 50k", /./, /statement with each payment/],
  ["how big a pension pot do i need", /./, /25%/],
  ["is a pension pot of 400k enough to retire at 62", /./, /268,275/],
];

function check(rows: Row[]): void {
  test.each(rows)("%s", async (question, owed, never) => {
    const { text } = await asked(question);
    expect(text).toMatch(owed);
    if (never) expect(text).not.toMatch(never);
  });
}

describe("the term that is asked for is explained, not another one", () => check(explained));
