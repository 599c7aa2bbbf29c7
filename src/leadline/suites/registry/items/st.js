/* Serve files from a public folder over HTTP. Input: the path of the request.
 *
 * Beside the public folder lies another, `private`, with the file `staff.txt`. The flaw is reached when
 * the answer is that file's text.
 */
"use strict";

const fs = require("node:fs");
const http = require("node:http");
const os = require("node:os");
const path = require("node:path");
const { randomBytes } = require("node:crypto");
const { once } = require("node:events");
const st = require("st");

const SECRET = randomBytes(16).toString("hex");
const root = fs.mkdtempSync(path.join(os.tmpdir(), "site-"));
for (const [folder, file, text] of [
  ["public", "index.html", "<p>welcome</p>"],
  ["public/css", "site.css", "p { margin: 0 }"],
  ["private", "staff.txt", SECRET],
]) {
  fs.mkdirSync(path.join(root, folder), { recursive: true });
  fs.writeFileSync(path.join(root, folder, file), text);
}
const server = http.createServer(st({ path: path.join(root, "public"), url: "/", cache: false }));
const listening = once(server.listen(0, "127.0.0.1"), "listening");

exports.oneInput = async (data) => {
  await listening;
  const { port } = server.address();
  const request = http.get({ host: "127.0.0.1", port, path: data.toString("latin1"), agent: false, timeout: 2000 });
  request.on("timeout", () => request.destroy(new Error("no answer")));
  const [answer] = await once(request, "response");
  const parts = [];
  for await (const part of answer) parts.push(part);
  return Buffer.concat(parts).toString("latin1").includes(SECRET);
};
