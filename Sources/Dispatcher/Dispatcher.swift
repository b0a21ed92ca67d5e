internal import HTTPTypes
package import Hummingbird
internal import Logging
package import Manager
internal import Model
package import Scheduler

/// HTTP in, HTTP out: who asks, for which vBERT, with what; the pipeline does the rest.
package struct Dispatcher: Sendable {
  let registry: Registry
  let bases: ServedBases
  let pipeline: Pipeline
  let cache: AdapterCache
  let limits: ServerLimits
  let about: ServerInfo
  let metrics: PrometheusMetrics
  private let requests: HTTPMetrics
  private let faults = PacedLog()
  let workers = Workers()
  let memory: RequestMemory
  /// Whose vBERTs are served while no tenant has a key.
  let openTenant: TenantRecord

  /// Throws the registry's errors.
  package init(
    registry: Registry, bases: ServedBases, pipeline: Pipeline, cache: AdapterCache,
    limits: ServerLimits = ServerLimits(), about: ServerInfo,
    metrics: PrometheusMetrics = PrometheusMetrics()
  ) throws {
    self.registry = registry
    self.bases = bases
    self.pipeline = pipeline
    self.cache = cache
    self.limits = limits
    self.about = about
    self.metrics = metrics
    requests = HTTPMetrics(factory: metrics)
    memory = RequestMemory(bound: limits.bodyMemory)
    openTenant = try registry.tenant(named: TenantRecord.defaultName)
  }

  /// All routes; what is at none of them is answered in the shape that its path suggests.
  package func router() -> Router<BasicRequestContext> { router(routes) }

  private func router(_ routes: [Route]) -> Router<BasicRequestContext> {
    let router = Router()
    router.add(middleware: Unrouted(routes: routes))
    for route in routes {
      for method in route.methods {
        router.on(RouterPath(route.path), method: method) { request, context in
          await respond(route, request, context)
        }
      }
    }
    return router
  }

  /// /health, /info and /metrics alone, for a listener of their own.
  package func watchRouter() -> Router<BasicRequestContext> { router(routes.filter(\.isOpen)) }

  private func respond(
    _ route: Route, _ request: Hummingbird.Request, _ context: BasicRequestContext
  ) async -> Response {
    let begin = ContinuousClock.now
    var response: Response
    do {
      if let expected = request.headers[.expect], expected.lowercased() != Expectation.token {
        throw APIError.expectation(expected)
      }
      if let packed = request.headers[.contentEncoding], packed.lowercased() != "identity" {
        throw APIError.packed(packed)
      }
      // The parser asks that chunked comes last, and undoes nothing else.
      if let coding = request.headers[.transferEncoding], coding.lowercased() != "chunked" {
        throw APIError.malformed(
          "Transfer-Encoding: \(clipped(coding)) is not read; send it plain, or in chunks alone")
      }
      let tenant = route.isOpen ? openTenant : try authenticate(request.headers)
      response = try await route.answer(
        Call(
          request: request, context: context, tenant: tenant, begin: begin,
          arrival: Arrival(
            tenant: tenant.id, weight: tenant.processor.weight,
            deadline: begin + .seconds(limits.seconds)),
          memory: RequestMemory.Share(memory, tenant: tenant.id)))
    } catch {
      let problem = APIError(error)
      if case .internalError = problem {
        context.logger.error(
          "a request failed", metadata: ["route": "\(route.path)", "error": "\(error)"])
      } else if let fault = problem.log, faults.isDue(fault) {
        context.logger.error(
          "requests fail", metadata: ["route": "\(route.path)", "why": "\(fault)"])
      }
      response = problem.response(route.family)
    }
    requests.note(route: route.path, status: response.status.code, took: .now - begin)
    return response
  }
}

/// A path and what answers there.
struct Route: Sendable {
  let method: HTTPRequest.Method
  let path: String
  let family: Family
  /// Answers without a key, and says nothing that would need one.
  let isOpen: Bool
  let answer: @Sendable (Call) async throws -> Response

  /// HEAD goes wherever GET does.
  var methods: [HTTPRequest.Method] { method == .get ? [.get, .head] : [method] }

  /// Whether the path, in its parts, is one of the route's.
  func matches(_ parts: [Substring]) -> Bool {
    let own = path.split(separator: "/")
    return own.count == parts.count && zip(own, parts).allSatisfy { $0.hasPrefix(":") || $0 == $1 }
  }

  init(
    _ method: HTTPRequest.Method, _ path: String, _ family: Family, isOpen: Bool = false,
    _ answer: @escaping @Sendable (Call) async throws -> Response
  ) {
    self.method = method
    self.path = path
    self.family = family
    self.isOpen = isOpen
    self.answer = answer
  }
}

/// One request on its way through a route.
struct Call: Sendable {
  let request: Hummingbird.Request
  let context: BasicRequestContext
  let tenant: TenantRecord
  let begin: ContinuousClock.Instant
  let arrival: Arrival
  /// What the request holds of the memory for bodies.
  let memory: RequestMemory.Share

  /// Its work is more than an event loop or the cooperative pool should be held up by.
  var isLarge: Bool { memory.size > RequestMemory.free }
}

/// Around all routes: what the router itself refuses, and the answers to HEAD and OPTIONS.
private struct Unrouted: RouterMiddleware {
  let routes: [Route]

  func handle(
    _ request: Hummingbird.Request, context: BasicRequestContext,
    next: (Hummingbird.Request, BasicRequestContext) async throws -> Response
  ) async throws -> Response {
    let response = try await answer(request, context, next)
    return request.method == .head ? await response.withoutBody() : response
  }

  private func answer(
    _ request: Hummingbird.Request, _ context: BasicRequestContext,
    _ next: (Hummingbird.Request, BasicRequestContext) async throws -> Response
  ) async throws -> Response {
    guard request.head.authority != nil else {
      return APIError.host.response(family(request))
    }
    if request.method == .options, request.uri.string == "*" {
      let all = Set(routes.flatMap(\.methods).map(\.rawValue)).sorted() + ["OPTIONS"]
      return Response(status: .noContent, headers: [.allow: all.joined(separator: ", ")])
    }
    do { return try await next(request, context) } catch let error as any HTTPResponseError {
      guard error.status == .notFound else {
        return APIError.internalError.response(family(request))
      }
      let parts = request.uri.path.split(separator: "/")
      let methods = routes.filter { $0.matches(parts) }.flatMap(\.methods)
      guard !methods.isEmpty else {
        return APIError.noRoute(known: knownRoutes).response(family(request))
      }
      let allowed = (methods + [.options]).map(\.rawValue).joined(separator: ", ")
      if request.method == .options {
        return Response(status: .noContent, headers: [.allow: allowed])
      }
      return APIError.otherMethod(allowed: allowed).response(family(request))
    }
  }

  private var knownRoutes: String {
    routes.map { "\($0.methods.first?.rawValue ?? "") \($0.path)" }.joined(separator: ", ")
  }

  private func family(_ request: Hummingbird.Request) -> Family {
    request.uri.path.hasPrefix("/v1") ? .openAI : .tei
  }
}
