import Foundation
import Testing

/// A server whose n-gram table is emptied while it runs, and one that starts with what is left: it takes
/// longer, the answers are the same.
@Suite struct LostTableTests {
  @Test func theTableIsEmptiedUnderARunningServer() async throws {
    let world = try TinyWorld()
    let vbert = world.vbert
    defer { vbert.removeHome() }
    try world.train("topic", task: "classify", rows: TinyData.classify)
    let table = vbert.home.appending(path: "bases/tiny-skip2/plot/general.plot")
    let body: [String: Any] = ["adapter_id": "topic", "inputs": "the red cat runs"]

    let server = try await Server(vbert)
    let before = try await server.post("/predict", body)
    #expect(before.status == 200)
    let shell = Process()
    shell.executableURL = URL(filePath: "/bin/sh")
    shell.arguments = ["-c", ": > \"$0\"", table.path(percentEncoded: false)]
    try shell.run()
    shell.waitUntilExit()
    #expect(shell.terminationStatus == 0)
    #expect(try Data(contentsOf: table).isEmpty)
    let after = try await server.post("/predict", body)
    #expect(after.status == 200 && after.body == before.body)
    let page = String(decoding: try await server.get("/metrics").body, as: UTF8.self)
    #expect(page.contains(#"vbert_plot_lost_tables{base="tiny-skip2"} 1"#))
    #expect(try server.said.components(separatedBy: "is not used any more").count == 2)
    #expect(server.stop() == 0)

    let next = try await Server(vbert)
    let again = try await next.post("/predict", body)
    #expect(again.status == 200 && again.body == before.body)
    #expect(try next.said.components(separatedBy: "is not used any more").count == 2)
    #expect(next.stop() == 0)
    // What needs the table itself says so.
    let verify = try vbert.run(["plot", "verify", "--base", "tiny-skip2"])
    #expect(verify.status == 1 && verify.stderr.contains("damaged"))
  }
}
