/* Fetch a path that a user gave. Input: the path.
 *
 * The flaw is reached when the service receives a header line `x-staff` that the program did not send.
 */
"use strict";

const net = require("node:net");
const { once } = require("node:events");
const { Client } = require("undici");

let received = "";
const service = net.createServer((socket) => {
  socket.on("error", () => {});
  socket.on("data", (part) => {
    received += part.toString("latin1");
    if (received.includes("\r\n\r\n")) socket.end("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  });
});
const listening = once(service.listen(0, "127.0.0.1"), "listening");

exports.oneInput = async (data) => {
  await listening;
  received = "";
  const client = new Client(`http://127.0.0.1:${service.address().port}`, { headersTimeout: 1000, bodyTimeout: 1000 });
  try {
    const answer = await client.request({ method: "GET", path: data.toString("latin1") });
    await answer.body.text();
  } finally {
    await client.destroy();
  }
  const [head] = received.split("\r\n\r\n");
  return head.split("\r\n").slice(1).some((line) => /^x-staff:/i.test(line));
};
