/** The record knows a session by a UUID, the socket by `sess_` and the same hex digits. */

export function toUuid(wireId) {
  const hex = wireId.replace(/^sess_/, "");
  return hex.length === 32 ? hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-") : hex;
}

export function toWireId(uuid) {
  return `sess_${uuid.replaceAll("-", "")}`;
}
