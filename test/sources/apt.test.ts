import { describe, expect, it } from "vitest";
import { apt, readAptStatus } from "../../src/sources/apt.ts";

const NAMES = ["Download packages", "Install packages"];
const begin = (command: string, isTerminal = false) => apt.begin(command.split(" "), { isTerminal });

describe("apt", () => {
  it("[P5] asks apt-get to report on a descriptor, before the other words", () => {
    expect(begin("/usr/bin/apt-get install -y jq")?.command?.(3)).toEqual([
      "/usr/bin/apt-get",
      "-o",
      "APT::Status-Fd=3",
      "install",
      "-y",
      "jq",
    ]);
    expect(begin("apt upgrade")?.command?.(4)).toEqual(["apt", "-o", "APT::Status-Fd=4", "upgrade"]);
  });

  it.each([
    "apt-get check",
    "apt-get",
    "apt-cache search jq",
    "sudo apt-get install jq",
    "apt-get -o APT::Status-Fd=5 install jq",
    "apt-get -oapt::status-fd=5 install jq",
    "apt list --installed",
    "npm install",
  ])("leaves %s alone", (command) => expect(begin(command)).toBeUndefined());

  it("[P5] leaves apt on a terminal its own bar, and reads that", () => {
    const reading = begin("apt install jq", true);
    expect(reading?.command).toBeUndefined();
    const read = (text: string) => reading?.line?.({ text, kind: "redraw" });
    expect(read("43% [1 jq 12.3 kB/53.1 kB 22%]")).toEqual([
      { stage: { series: "apt", number: 1, of: 2, names: NAMES }, percentage: 43 },
    ]);
    expect(read("100% [Working]")).toMatchObject([{ stage: { number: 1 }, percentage: 100 }]);
    expect(read("Progress: [  7%] [###.......................]")).toMatchObject([
      { stage: { number: 2 }, percentage: 7 },
    ]);
    expect(read("Fortschritt: [ 56%] [#########...........]")).toMatchObject([
      { stage: { number: 2 }, percentage: 56 },
    ]);
    expect(read("(Reading database ... 45%")).toEqual([]);
    expect(read("999% [x]")).toEqual([]);
    expect(begin("apt-get install jq", true)?.command).toBeDefined();
  });

  it("finds the verb behind options and their values", () => {
    expect(begin("apt-get -q -t stable install jq")).toBeDefined();
    expect(begin("apt-get -t install check")).toBeUndefined();
  });

  it("[P5] reads the download and the installation as two stages", () => {
    expect(readAptStatus("dlstatus:3:20.1176:Retrieving file 3 of 9", NAMES)).toEqual({
      stage: { series: "apt", number: 1, of: 2, names: NAMES },
      percentage: 20.12,
      message: "Retrieving file 3 of 9",
    });
    expect(readAptStatus("pmstatus:jq:60.0000:Configuring jq (amd64)", NAMES)).toMatchObject({
      stage: { number: 2 },
      percentage: 60,
      message: "Configuring jq (amd64)",
    });
    expect(readAptStatus("pmstatus:libc6:amd64:60.0000:Unpacking libc6:amd64", NAMES)).toMatchObject({
      percentage: 60,
      message: "Unpacking libc6:amd64",
    });
  });

  it("[P5] has one stage where nothing is installed", () => {
    const update = begin("apt-get update");
    expect(update?.status?.("dlstatus:1:50.0000:Retrieving file 1 of 3")).toMatchObject([
      { stage: { number: 1, of: 1, names: ["Download"] }, percentage: 50 },
    ]);
  });

  it("[P5] reads an error as a problem and goes on", () => {
    const told = readAptStatus(
      "pmerror:/var/cache/apt/archives/jq_1.7_amd64.deb:40.0000:trying to overwrite /usr/bin/jq",
      NAMES,
    );
    expect(told).toMatchObject({
      percentage: 40,
      problem: { level: "error", message: "/var/cache/apt/archives/jq_1.7_amd64.deb: trying to overwrite /usr/bin/jq" },
    });
  });

  it("[P5] says that apt waits for an answer or a medium", () => {
    expect(
      readAptStatus("pmconffile:/etc/jq.conf:80.0000:'/etc/jq.conf' '/etc/jq.conf.dpkg-new' 1 1", NAMES),
    ).toMatchObject({
      percentage: 80,
      waitingOn: { kind: "answer", name: "/etc/jq.conf" },
    });
    expect(readAptStatus("media-change: Debian 12:/dev/cdrom:Please insert the disc", NAMES)).toMatchObject({
      waitingOn: { kind: "medium", name: "Debian 12" },
    });
  });

  it.each([
    "",
    "garbage",
    "pmstatus",
    "pmstatus:jq",
    "pmstatus:jq:x:y",
    "dlstatus::",
    "status: jq: installed",
    "PMSTATUS:jq:1.0:x",
    "pmstatus:jq:-5:x",
  ])("[P5] reads nothing in %j", (text) => expect(readAptStatus(text, NAMES)).toBeUndefined());

  it("[P5] takes no number beyond 100", () => {
    expect(readAptStatus("pmstatus:jq:100.5000:Done", NAMES)).not.toHaveProperty("percentage");
  });
});
