/** Does nothing. */
export default () => "";
