// The one thing that the page needs of age: sealing bytes to one X25519 recipient.
import { Encrypter } from "age-encryption";
// By its path, for the package does not export it: without a secure context (a page on plain http) there is
// no WebCrypto, and the package would fail instead of taking its own arithmetic.
import { forceWebCryptoOff } from "./node_modules/age-encryption/dist/x25519.js";

forceWebCryptoOff(!globalThis.crypto?.subtle);

globalThis.ageSeal = (recipient, bytes) => {
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  return encrypter.encrypt(bytes);
};
