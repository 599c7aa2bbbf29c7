/* Search a document with a path, expressions in the safe mode. Input: the path.
 *
 * The flaw is reached when an expression calls `privileged`, which is no part of the document.
 */
"use strict";

const { JSONPath } = require("jsonpath-plus");

const calls = [];
exports.calls = calls;
// Reached by its name from anywhere, and by nothing but code that the input brings.
globalThis.privileged = (...values) => calls.push(values.length);

const json = { store: { book: [{ title: "a", price: 8 }, { title: "b", price: 12 }] } };

exports.oneInput = (data) => {
  calls.length = 0;
  JSONPath({ path: data.toString("utf8"), json, eval: "safe" });
  return calls.length > 0;
};
