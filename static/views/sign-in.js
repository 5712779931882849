import { safeNext } from "../js/router.js";
import { html, useRef, useState } from "../lib/html.js";
import { Loading, Trouble } from "./frame.js";
import { useLoad } from "./load.js";

/** Sign-in: an ordinary form, so that password managers know it. The school is asked for only where needed. */
export function SignIn({ api }) {
  const school = useLoad(() => api.school(), "school");
  if (school.error) {
    return html`<${Trouble} title="The page can't reach your school" text=${school.error.message} onRetry=${school.again}><span></span><//>`;
  }
  if (!school.value) return html`<${Loading} what="One moment" />`;
  return html`<${Form} api=${api} school=${school.value} />`;
}

function Form({ api, school }) {
  const [trouble, setTrouble] = useState(null);
  const [busy, setBusy] = useState(false);
  const alert = useRef(null);
  const refuse = (message) => {
    setTrouble(message);
    requestAnimationFrame(() => alert.current?.focus());
  };
  const submit = async (event) => {
    event.preventDefault();
    const { school: name, email, password } = Object.fromEntries(new FormData(event.target));
    const missing = missingOf({ name, email, password, schoolField: school.school_field });
    if (missing) {
      refuse(missing);
      return;
    }
    setBusy(true);
    try {
      await api.signIn({ ...(name ? { school: name.trim() } : {}), email: email.trim(), password });
      location.assign(safeNext(new URLSearchParams(location.search).get("next")));
    } catch (error) {
      setBusy(false);
      refuse(sentenceOf(error));
    }
  };
  return html`<main id="main" class="sign-in">
    <div class="sign-in-card">
      <p class="brand"><span class="brand-mark" aria-hidden="true"></span>
        <span dir="auto">${school.name ?? "Student Connect"}</span></p>
      <h1>Sign in</h1>
      ${trouble && html`<p class="form-trouble" role="alert" tabindex="-1" ref=${alert}>${trouble}</p>`}
      <form onSubmit=${submit} novalidate>
        ${school.school_field && html`<${Field} name="school" label="School" autocomplete="organization"
          hint="The short name your school gave you." />`}
        <${Field} name="email" label="E-mail" type="email" autocomplete="username" inputmode="email" />
        <${Password} />
        <button type="submit" class="button primary wide" aria-disabled=${busy}>${busy ? "Signing in…" : "Sign in"}</button>
      </form>
      <p class="faint">Forgotten your password? Your teacher can give you a new one.</p>
    </div>
  </main>`;
}

function Field({ name, label, hint, ...rest }) {
  return html`<div class="field">
    <label for=${name}>${label}</label>
    ${hint && html`<p class="hint" id="${name}-hint">${hint}</p>`}
    <input id=${name} name=${name} required autocapitalize="none" spellcheck=${false}
      aria-describedby=${hint ? `${name}-hint` : undefined} ...${rest} />
  </div>`;
}

function Password() {
  const [seen, setSeen] = useState(false);
  return html`<div class="field">
    <label for="password">Password</label>
    <div class="with-button">
      <input id="password" name="password" type=${seen ? "text" : "password"} required
        autocomplete="current-password" autocapitalize="none" spellcheck=${false} />
      <button type="button" class="button" aria-pressed=${seen} aria-controls="password" onClick=${() => setSeen(!seen)}>
        ${seen ? "Hide" : "Show"}<span class="for-screen-reader"> password</span></button>
    </div>
  </div>`;
}

function missingOf({ name, email, password, schoolField }) {
  if (schoolField && !name.trim()) return "Please write the short name of your school.";
  if (!email.trim()) return "Please write your e-mail address.";
  return password ? null : "Please write your password.";
}

function sentenceOf(error) {
  if (error.status === 401) return "That e-mail and password don't go together. Check both and try again.";
  if (error.status === 429) {
    const wait = error.retryAfterS ? `in ${Math.ceil(error.retryAfterS / 60)} min` : "in a few minutes";
    return `That was wrong a few times, so we wait a little to keep your account safe. Try again ${wait}.`;
  }
  return error.message;
}
