/** Why there is no microphone, and what to do, in words for the browser at hand. Pure. */

const SITE_SETTINGS = {
  chrome: "Press the icon to the left of the address at the top, and allow the microphone.",
  edge: "Press the padlock to the left of the address at the top, and allow the microphone.",
  firefox: "Press the crossed-out microphone to the left of the address, and remove the block.",
  safari: "Open Safari > Settings > Websites > Microphone, and choose Allow for this page.",
  ios: "Press “aA” beside the address, then Website Settings > Microphone > Allow.",
  android: "Press the icon to the left of the address, then Permissions > Microphone > Allow.",
};

export function browserOf(userAgent) {
  if (/iPhone|iPad|iPod/.test(userAgent)) return "ios";
  if (/Android/.test(userAgent)) return "android";
  if (/Edg\//.test(userAgent)) return "edge";
  if (/Firefox\//.test(userAgent)) return "firefox";
  return /Chrome\//.test(userAgent) ? "chrome" : "safari";
}

/** @returns {title, steps}: what happened, and what the student can do about it, in order. */
export function troubleOf(errorName, { userAgent = "", secure = true } = {}) {
  const typing = "Or simply go on by typing. Your tutor still speaks.";
  if (!secure) {
    return {
      title: "This address is not secure, so the browser keeps the microphone shut",
      steps: ["Ask your school for the address that begins with https.", typing],
    };
  }
  if (errorName === "NotAllowedError" || errorName === "SecurityError") {
    return {
      title: "Your browser did not let us use the microphone",
      steps: [SITE_SETTINGS[browserOf(userAgent)], "Then press “Try the microphone again”.", typing],
    };
  }
  if (errorName === "NotFoundError" || errorName === "OverconstrainedError") {
    return {
      title: "We can't find a microphone",
      steps: ["Plug in a headset or a microphone.", "Then press “Try the microphone again”.", typing],
    };
  }
  if (errorName === "NotReadableError" || errorName === "AbortError") {
    return {
      title: "Another program is using the microphone",
      steps: ["Close other calls or recording programs.", "Then press “Try the microphone again”.", typing],
    };
  }
  if (errorName === "unplugged") {
    return {
      title: "The microphone was unplugged or switched off",
      steps: ["Plug it in again, then press “Try the microphone again”.", typing],
    };
  }
  return { title: "This browser can't use a microphone here", steps: ["A newer browser may help.", typing] };
}
