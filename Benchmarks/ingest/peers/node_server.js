// What a careful person writes with node alone: signature, JSON, the body appended and synced, answer.
// PORTER_BENCH_SECRET is the webhook's secret, PORTER_BENCH_LOG the file, PORTER_BENCH_PORT the port.
const crypto = require("node:crypto");
const fs = require("node:fs");
const http = require("node:http");

const secret = process.env.PORTER_BENCH_SECRET;
const file = fs.openSync(process.env.PORTER_BENCH_LOG, "a");

http
  .createServer((request, response) => {
    const pieces = [];
    request.on("data", (piece) => pieces.push(piece));
    request.on("end", () => {
      const body = Buffer.concat(pieces);
      const expected = Buffer.from("sha256=" + crypto.createHmac("sha256", secret).update(body).digest("hex"));
      const given = Buffer.from(request.headers["x-hub-signature-256"] ?? "");
      if (given.length !== expected.length || !crypto.timingSafeEqual(given, expected)) {
        response.writeHead(401).end("{}");
        return;
      }
      JSON.parse(body);
      fs.write(file, body, (failure) => {
        if (failure) return response.writeHead(503).end("{}");
        fs.fdatasync(file, (failure) => {
          if (failure) return response.writeHead(503).end("{}");
          response.writeHead(202, { "Content-Type": "application/json" }).end('{"status":"accepted"}');
        });
      });
    });
  })
  .listen(Number(process.env.PORTER_BENCH_PORT), "127.0.0.1");
