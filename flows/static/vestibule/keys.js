// Connects the buttons for passkeys and security keys with the functions of webauthn.js. A page may hold no script of its
// own (Content-Security-Policy), so a button names its function in data-on-click, a field in data-on-load.
(function () {
  "use strict";

  var EVENT = "oryWebAuthnInitialized";

  function call(name) {
    if (typeof window[name] === "function") {
      window[name]();
    }
  }

  // Whoever makes a key is told before they touch it what else is needed. Afterwards it would have been made in vain, and a
  // passkey that opens nothing stays on its device.
  function lacks(button) {
    if (!/_register_trigger$/.test(button.name) || !button.form) {
      return false;
    }
    return Array.from(button.form.elements).some(function (field) {
      return /^(traits\.|webauthn_register_displayname$)/.test(field.name) && !field.reportValidity();
    });
  }

  function connect() {
    document.querySelectorAll("[data-on-click]").forEach(function (button) {
      button.addEventListener("click", function () {
        if (!lacks(button)) {
          call(button.dataset.onClick);
        }
      });
      // Enter in a form whose only button needs a script would send the form without an answer from the key.
      var form = button.form;
      if (form && !form.querySelector("button[type=submit]")) {
        form.addEventListener("keydown", function (event) {
          if (event.key === "Enter" && event.target.tagName === "INPUT") {
            event.preventDefault();
            button.click();
          }
        });
      }
    });
    document.querySelectorAll("[data-on-load]").forEach(function (field) {
      call(field.dataset.onLoad);
    });
  }

  function whenReady() {
    if (window.__oryWebAuthnInitialized) {
      connect();
    } else {
      window.addEventListener(EVENT, connect, { once: true });
    }
  }

  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", whenReady);
  } else {
    whenReady();
  }
})();
