/* Answer a request to open a WebSocket, on a server that takes 32 headers at most.
 *
 * Input: the request as it arrives, bytes and all. The flaw is reached when it makes the service fail
 * with an error that nothing catches.
 */
"use strict";

const http = require("node:http");
const net = require("node:net");
const { once } = require("node:events");
const { WebSocketServer } = require("ws");

let uncaught = 0;
process.on("uncaughtException", () => {
  uncaught += 1;
});
const server = http.createServer((request, response) => response.end("page"));
server.maxHeadersCount = 32;
server.on("clientError", (error, socket) => socket.destroy());
const sockets = new WebSocketServer({ server });
sockets.on("connection", (socket) => {
  socket.on("error", () => {}); // a malformed frame ends that connection only
  socket.close();
});
const listening = once(server.listen(0, "127.0.0.1"), "listening");

exports.oneInput = async (data) => {
  await listening;
  uncaught = 0;
  const client = net.connect(server.address().port, "127.0.0.1");
  client.on("error", () => {});
  client.setTimeout(500, () => client.destroy());
  const over = new Promise((resolve) => {
    client.once("data", () => resolve());
    client.once("close", () => resolve());
    process.once("uncaughtException", () => resolve());
  });
  client.write(data);
  await over;
  client.destroy();
  return uncaught > 0;
};
