// socket.io as it is measured: rooms, and messages to everyone in them, over its WebSocket transport, nothing else switched on.
// usage: node socketio.mjs PORT
import { createRequire } from 'node:module';
import { createServer } from 'node:http';
const require = createRequire(new URL('npm/package.json', import.meta.url));
const { Server } = require('socket.io');
const http = createServer();
const io = new Server(http, { transports: ['websocket'], perMessageDeflate: false });
let seq = 0;
io.on('connection', (socket) => {
  socket.on('join', (room) => {
    socket.join(room);
    socket.emit('joined', room);
  });
  // What one of our messages has in it: place, time, author, text, the client's id.
  socket.on('say', ({ room, text, id }) => {
    io.to(room).emit('message', { room, seq: ++seq, at: Date.now(), author: { id: socket.id, name: 'guest', tag: '4f2' }, text, id });
  });
});
http.listen(Number(process.argv[2]), '127.0.0.1');
