/** The part of punycode.js that is used; the package has no types of its own. */
declare module 'punycode.js' {
  const punycode: {
    /** Each label that needs it as `xn--…`. RangeError where a label is too much for it. */
    readonly toASCII: (domain: string) => string
  }
  export default punycode
}
