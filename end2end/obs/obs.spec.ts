// OBS as a streamer sets it up: a custom service with our server and key, x264 and AAC, started by its own switch.
import { expect, open, test } from '../support/fixtures.ts';
import { ARTEFACTS } from '../support/paths.ts';
import { expectMoving, expectScene } from '../support/ui.ts';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** An INI file's text. */
const ini = (sections: Record<string, Record<string, string | number | boolean>>): string =>
  Object.entries(sections)
    .map(([name, values]) => `[${name}]\n${Object.entries(values).map(([key, value]) => `${key}=${value}`).join('\n')}\n`)
    .join('\n');

/** A home folder in which OBS has been set up already: profile, service, one scene with a coloured picture. */
function obsHome(server: string, key: string): string {
  const home = mkdtempSync(path.join(os.tmpdir(), 'madang-obs-'));
  const config = path.join(home, '.config/obs-studio');
  const profile = path.join(config, 'basic/profiles/Madang');
  mkdirSync(profile, { recursive: true });
  mkdirSync(path.join(config, 'basic/scenes'), { recursive: true });
  mkdirSync(path.join(home, 'run'), { mode: 0o700 });
  const named = { Profile: 'Madang', ProfileDir: 'Madang', SceneCollection: 'Madang', SceneCollectionFile: 'Madang' };
  writeFileSync(
    path.join(config, 'global.ini'),
    ini({
      General: { FirstRun: true, LastVersion: 486539266, EnableAutoUpdates: false, ConfirmOnExit: false },
      Basic: { ...named, ConfigOnNewProfile: false },
      BasicWindow: { SysTrayEnabled: true, SysTrayWhenStarted: true, WarnBeforeStartingStream: false },
    }),
  );
  writeFileSync(
    path.join(profile, 'basic.ini'),
    ini({
      General: { Name: 'Madang' },
      Output: { Mode: 'Advanced', Reconnect: true, RetryDelay: 2, MaxRetries: 20 },
      AdvOut: { Encoder: 'obs_x264', TrackIndex: 1, ApplyServiceSettings: true, Track1Bitrate: 128 },
      Video: { BaseCX: 640, BaseCY: 360, OutputCX: 640, OutputCY: 360, FPSType: 0, FPSCommon: 30 },
      Audio: { SampleRate: 48000, ChannelSetup: 'Stereo' },
    }),
  );
  const encoder = { bitrate: 1000, keyint_sec: 2, preset: 'veryfast', profile: 'high', rate_control: 'CBR', tune: 'zerolatency' };
  writeFileSync(path.join(profile, 'streamEncoder.json'), JSON.stringify(encoder));
  const service = { type: 'rtmp_custom', settings: { server, key, use_auth: false, bwtest: false } };
  writeFileSync(path.join(profile, 'service.json'), JSON.stringify(service));
  const colour = { id: 'color_source', versioned_id: 'color_source_v3', name: 'Colour', settings: { color: 0xff3a6ee8, width: 640, height: 360 } };
  const item = { name: 'Colour', id: 1, visible: true, locked: false, pos: { x: 0, y: 0 }, scale: { x: 1, y: 1 }, bounds: { x: 0, y: 0 } };
  const scene = { id: 'scene', versioned_id: 'scene', name: 'Scene', settings: { id_counter: 1, custom_size: false, items: [item] } };
  const collection = {
    name: 'Madang', current_scene: 'Scene', current_program_scene: 'Scene', scene_order: [{ name: 'Scene' }], sources: [colour, scene],
  };
  writeFileSync(path.join(config, 'basic/scenes/Madang.json'), JSON.stringify(collection));
  return home;
}

test('OBS publishes, and the room plays', async ({ page, server }) => {
  const key = await server.createRoom('from-obs');
  const home = obsHome(server.rtmp, key);
  const arguments_ = ['-a', '-s', '-screen 0 1280x720x24', 'obs', '--startstreaming', '--minimize-to-tray', '--multi', '--profile', 'Madang', '--collection', 'Madang', '--disable-updater'];
  // In a group of its own: xvfb-run leaves its children behind when it is ended alone.
  const obs = spawn('xvfb-run', arguments_, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, HOME: home, XDG_CONFIG_HOME: path.join(home, '.config'), XDG_RUNTIME_DIR: path.join(home, 'run'), LIBGL_ALWAYS_SOFTWARE: '1' },
  });
  let said = '';
  obs.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
  obs.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const ended = once(obs, 'exit');
  try {
    await expect.poll(async () => (await server.room('from-obs')).live.state, { timeout: 90_000, message: 'the room goes live' }).toBe('live');
    await open(page, `${server.url}/rooms/from-obs`);
    await expectScene(page, 'playing');
    const after = await expectMoving(page, 40_000);
    expect(after.width).toBe(640);
    await page.screenshot({ path: path.join(ARTEFACTS, 'obs.png') });
    expect(server.log).not.toContain(key);
  } catch (error) {
    console.log(said.replaceAll(key, '(key)').slice(-6_000));
    throw error;
  } finally {
    if (obs.pid && obs.exitCode === null) process.kill(-obs.pid, 'SIGTERM');
    await ended;
    rmSync(home, { recursive: true, force: true });
  }
  await expect.poll(async () => (await server.room('from-obs')).live.state).toBe('offline');
});
