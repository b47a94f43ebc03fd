// A WebSocket client in a few lines: it authenticates with its first frame,
// as browsers do, prints every frame, and ends after the first message.
//
//   TOKEN=… node --experimental-websocket docs/listen.mjs [ws://127.0.0.1:8080]
const gateway = process.argv[2] ?? "ws://127.0.0.1:8080";
const socket = new WebSocket(`${gateway}/api/v1/ws`);

socket.onopen = () =>
  socket.send(JSON.stringify({ id: "1", op: "auth", data: { token: process.env.TOKEN } }));

socket.onmessage = ({ data }) => {
  console.log(data);
  const frame = JSON.parse(data);
  if (frame.op === "error") process.exitCode = 1;
  if (frame.op === "error" || frame.op === "message") socket.close();
};

socket.onerror = () => {
  console.error(`no connection to ${gateway}`);
  process.exitCode = 1;
};
