// The compiled program, loaded once for all test files of a worker, outside of the context that Jest makes for each of
// them: loading and running it in there takes several times as long. Each test file starts an application of its own
// (test-application.ts). Objects of the program have the prototypes of the outer context: compare them by what they hold.
import { TestEnvironment } from 'jest-environment-node';

const PROGRAM = new URL('../../dist/test/support/native-application.js', import.meta.url);

export default class ApplicationEnvironment extends TestEnvironment {
  async setup() {
    await super.setup();
    // Variables that no setting of ours stands for: the AWS client of the program reads its own. A function, because Jest puts
    // accessors in the place of whatever a value of the context holds, and process.env does not take them.
    this.global.programEnvironment = () => process.env;
    this.global.startColophon = async (environment, output) => {
      const { startTestApplication } = await import(PROGRAM.href);
      return startTestApplication(environment, output);
    };
  }
}
