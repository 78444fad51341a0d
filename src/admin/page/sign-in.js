/**
 * Asks for the token of the admin listener, where it has one. It is kept in the tab's session
 * storage and sent as a header with the stream only: never in an address, never as a cookie.
 */

const KEY = 'plugind-token';

export function readToken() {
  return sessionStorage.getItem(KEY) ?? '';
}

/** Shows the form; resolves when a token was given. */
export function askToken() {
  const form = /** @type {HTMLFormElement} */ (document.getElementById('sign-in'));
  const main = /** @type {HTMLElement} */ (document.getElementById('main'));
  const input = /** @type {HTMLInputElement} */ (document.getElementById('token'));
  const error = /** @type {HTMLElement} */ (document.getElementById('sign-in-error'));
  error.textContent = readToken() === '' ? '' : 'That is not the token.';
  form.hidden = false;
  main.hidden = true;
  input.value = '';
  input.focus();
  return new Promise((resolve) => {
    form.addEventListener(
      'submit',
      (event) => {
        event.preventDefault();
        sessionStorage.setItem(KEY, input.value);
        form.hidden = true;
        main.hidden = false;
        resolve(undefined);
      },
      { once: true },
    );
  });
}
