/* Show a page with the data of a request. Input: the data, a JSON text.
 *
 * The flaw is reached when the page calls `privileged`, which its template does not.
 */
"use strict";

const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const ejs = require("ejs");

const calls = [];
exports.calls = calls;
// Reached by its name from anywhere, and by nothing but code that the input brings.
globalThis.privileged = (...values) => calls.push(values.length);

const page = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "page-")), "page.ejs");
fs.writeFileSync(page, "<p>Welcome to <%= locals.name %></p>");

exports.oneInput = async (data) => {
  calls.length = 0;
  await ejs.renderFile(page, JSON.parse(data.toString("utf8")));
  return calls.length > 0;
};
