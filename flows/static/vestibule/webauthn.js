// Passkeys and security keys for the forms of a flow. A page loads this file through the form's script node and calls one
// of the six functions below. Each asks the browser, writes its answer into a hidden field and sends the form.
(function () {
  "use strict";

  if (window.__oryWebAuthnInitialized || !window.PublicKeyCredential) {
    return;
  }

  // -- binary data travels as base64url without padding

  function toBytes(text) {
    var plain = text.replace(/-/g, "+").replace(/_/g, "/");
    return Uint8Array.from(window.atob(plain), function (character) {
      return character.charCodeAt(0);
    });
  }

  function toText(buffer) {
    var plain = "";
    new Uint8Array(buffer).forEach(function (byte) {
      plain += String.fromCharCode(byte);
    });
    return window.btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  // The options hold their binary parts as text; the browser wants bytes.
  function decoded(options) {
    var publicKey = Object.assign({}, options.publicKey);
    publicKey.challenge = toBytes(publicKey.challenge);
    if (publicKey.user) {
      publicKey.user = Object.assign({}, publicKey.user, { id: toBytes(publicKey.user.id) });
    }
    ["allowCredentials", "excludeCredentials"].forEach(function (list) {
      if (publicKey[list]) {
        publicKey[list] = publicKey[list].map(function (key) {
          return Object.assign({}, key, { id: toBytes(key.id) });
        });
      }
    });
    return publicKey;
  }

  function newKey(credential) {
    var response = {
      attestationObject: toText(credential.response.attestationObject),
      clientDataJSON: toText(credential.response.clientDataJSON),
    };
    if (credential.response.getTransports) {
      response.transports = credential.response.getTransports();
    }
    return { id: credential.id, rawId: toText(credential.rawId), type: credential.type, response: response };
  }

  function assertion(credential) {
    var response = credential.response;
    return {
      id: credential.id,
      rawId: toText(credential.rawId),
      type: credential.type,
      response: {
        authenticatorData: toText(response.authenticatorData),
        clientDataJSON: toText(response.clientDataJSON),
        signature: toText(response.signature),
        userHandle: response.userHandle ? toText(response.userHandle) : "",
      },
    };
  }

  // -- the form

  function field(name) {
    return document.querySelector('input[name="' + name + '"]');
  }

  function send(selector, answer) {
    var result = document.querySelector(selector);
    result.value = JSON.stringify(answer);
    HTMLFormElement.prototype.submit.call(result.closest("form"));
  }

  // Who closes the browser's dialog has chosen to; anything else deserves a word.
  function complain(error) {
    if (error && (error.name === "NotAllowedError" || error.name === "AbortError")) {
      return;
    }
    console.error(error);
    window.alert(
      error && error.name === "InvalidStateError"
        ? "This device has a key for your account already."
        : "That did not work. Please try again, or choose another way."
    );
  }

  function optionsFor(options, trigger) {
    if (!options) {
      options = document.querySelector(trigger).value;
    }
    return typeof options === "string" ? JSON.parse(options) : options;
  }

  function create(options, selector) {
    return navigator.credentials
      .create({ publicKey: decoded(options) })
      .then(function (credential) {
        send(selector, newKey(credential));
      })
      .catch(complain);
  }

  // -- security keys

  function webAuthnRegistration(options, result, trigger) {
    var asked = optionsFor(options, trigger || '*[name="webauthn_register_trigger"]');
    return create(asked, result || '*[name="webauthn_register"]');
  }

  function webAuthnLogin(options, result, trigger) {
    var asked = optionsFor(options, trigger || '*[name="webauthn_login_trigger"]');
    return navigator.credentials
      .get({ publicKey: decoded(asked) })
      .then(function (credential) {
        send(result || '*[name="webauthn_login"]', assertion(credential));
      })
      .catch(complain);
  }

  // -- passkeys

  function passkeyRegistration() {
    var data = JSON.parse(field("passkey_create_data").value);
    var options = data.credentialOptions;
    var names = data.displayNameFieldNames || [data.displayNameFieldName];
    var named = names.map(field).find(function (input) {
      return input && input.value;
    });
    if (named) {
      options.publicKey.user.name = options.publicKey.user.displayName = named.value;
    }
    return create(options, 'input[name="passkey_register"]');
  }

  function passkeySettingsRegistration() {
    return create(JSON.parse(field("passkey_create_data").value), 'input[name="passkey_settings_register"]');
  }

  // A browser answers one question at a time: the one that waits in the identifier field makes way for the one of the button.
  function forgetWaiting() {
    if (window.abortPasskeyConditionalUI) {
      window.abortPasskeyConditionalUI.abort();
      window.abortPasskeyConditionalUI = undefined;
    }
  }

  function askForPasskey(more) {
    var question = { publicKey: decoded(JSON.parse(field("passkey_challenge").value)) };
    return navigator.credentials.get(Object.assign(question, more)).then(function (credential) {
      send('input[name="passkey_login"]', assertion(credential));
    });
  }

  function passkeyLogin() {
    forgetWaiting();
    return askForPasskey({}).catch(function (error) {
      complain(error);
      return passkeyLoginAutocompleteInit();
    });
  }

  function passkeyLoginAutocompleteInit() {
    var canWait = window.PublicKeyCredential.isConditionalMediationAvailable;
    if (!canWait || !field("passkey_challenge") || !field("passkey_login")) {
      return Promise.resolve();
    }
    return window.PublicKeyCredential.isConditionalMediationAvailable()
      .then(function (available) {
        if (!available) {
          return undefined;
        }
        forgetWaiting();
        window.abortPasskeyConditionalUI = new AbortController();
        return askForPasskey({ mediation: "conditional", signal: window.abortPasskeyConditionalUI.signal });
      })
      .catch(function (error) {
        console.debug(error); // nobody pressed anything, so nobody is told
      });
  }

  var known = {
    oryWebAuthnRegistration: webAuthnRegistration,
    oryWebAuthnLogin: webAuthnLogin,
    oryPasskeyLogin: passkeyLogin,
    oryPasskeyLoginAutocompleteInit: passkeyLoginAutocompleteInit,
    oryPasskeyRegistration: passkeyRegistration,
    oryPasskeySettingsRegistration: passkeySettingsRegistration,
  };
  Object.keys(known).forEach(function (name) {
    window[name] = known[name];
    window["__" + name] = known[name]; // as older pages call them
  });
  window.__oryWebAuthnInitialized = true;
  window.dispatchEvent(new CustomEvent("oryWebAuthnInitialized"));
})();
