/** A frame's header is nine bytes; a SETTINGS frame has type 4 and stream 0 and six bytes a setting (RFC 9113, 4.1 and 6.5). */
const frameHeaderBytes = 9;
const settingsType = 4;
const settingBytes = 6;
/** No server names more settings than that in its first frame. */
const maxSettings = 64;

/** Tells whether these first bytes of a server are HTTP/2's: every HTTP/2 server must begin with a SETTINGS frame. */
export function isHttp2Settings(bytes: Uint8Array): boolean {
  if (bytes.length < frameHeaderBytes) return false;
  const [high = 1, middle = 0, low = 0, type, flags, ...stream] = bytes.subarray(0, frameHeaderBytes);
  const length = middle * 256 + low;
  return high === 0 && length % settingBytes === 0 && length <= maxSettings * settingBytes && type === settingsType && flags === 0 && stream.every((byte) => byte === 0);
}
