declare module '@adobe/json-formula' {
  export default class JsonFormula {
    constructor(customFunctions?: Record<string, unknown>);
    compile(expression: string, allowedGlobalNames?: readonly string[]): unknown;
    search(expression: string, json: unknown, globals?: Record<string, unknown>): unknown;
  }
}
