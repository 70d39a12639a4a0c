// In place of what the page never uses: post-quantum and hardware recipients, and passphrases.
export const MLKEM768P256 = undefined;
export const MLKEM768X25519 = undefined;
export const p256 = undefined;
export const scrypt = undefined;
