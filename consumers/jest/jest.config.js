/** Jest 30, without a flag or any setting for Headgate. */
module.exports = { transform: { "\\.ts$": "ts-jest" } };
