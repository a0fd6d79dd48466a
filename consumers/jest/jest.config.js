/** Jest 30, without flags or settings for Headgate. */
module.exports = { transform: { "\\.ts$": "ts-jest" } };
