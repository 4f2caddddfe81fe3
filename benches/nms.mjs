// node-media-server as it is measured: RTMP in, HTTP-FLV out, nothing else switched on.
// usage: node nms.mjs HTTP_PORT RTMP_PORT DATA_DIR
import { createRequire } from 'node:module';
const require = createRequire(new URL('npm/package.json', import.meta.url));
const NodeMediaServer = require('node-media-server');
const [http, rtmp, data] = process.argv.slice(2);
const server = new NodeMediaServer({
  bind: '127.0.0.1',
  store: { path: data },
  auth: { play: false, publish: false },
  rtmp: { port: Number(rtmp) },
  http: { port: Number(http) },
  webadmin: { enable: false },
  record: { auto: false, path: data },
});
server.run();
