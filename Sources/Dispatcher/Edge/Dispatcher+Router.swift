internal import HTTPTypes
package import Hummingbird
internal import Logging
internal import Manager
internal import Model
internal import Scheduler

extension Dispatcher {
  /// All routes; what is at none of them is answered in the shape that its path suggests.
  package func router() -> Router<BasicRequestContext> { router(routes) }

  private func router(_ routes: [Route]) -> Router<BasicRequestContext> {
    let router = Router()
    router.add(
      middleware: Unrouted(routes: routes, others: CrossOrigin(origins: limits.corsOrigins)))
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
    // Who is known to ask, and with what the request is counted.
    var (asking, counted): (TenantRecord?, Caller?) = (nil, nil)
    do {
      if let expected = request.headers[.expect], expected.lowercased() != Expectation.token {
        throw APIError.expectation(expected)
      }
      _ = try ContentCoding(request.headers)
      // The parser asks that chunked comes last, and undoes nothing else.
      if let coding = request.headers[.transferEncoding], coding.lowercased() != "chunked" {
        throw APIError.malformed(
          "Transfer-Encoding: \(clipped(coding)) is not read; send it plain, or in chunks alone")
      }
      let (tenant, key) =
        route.isOpen
        ? (openTenant, nil)
        : try await authenticate(SentKey(request.headers), for: route.scope)
      if !route.isOpen {
        asking = tenant
        try quotas.begin(tenant)
      }
      let caller = Caller(
        tenant: tenant, key: key, begin: begin,
        arrival: Arrival(
          tenant: tenant.id, weight: tenant.processor.weight,
          deadline: begin + .seconds(limits.seconds)),
        memory: RequestMemory.Share(memory, tenant: tenant.id))
      if !route.isOpen { counted = caller }
      let call = HTTPCall(request: request, context: context, caller: caller)
      response = Response(try await route.answer(call), to: caller, workers)
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
    if let asking {
      if let state = quotas.state(asking) { response.headers.append(contentsOf: HTTPFields(state)) }
      if let counted {
        quotas.end(asking)
        usage.note(
          Usage(requests: 1, tokens: counted.meter.tokens), of: asking.name, with: counted.key)
      }
    }
    requests.note(route: route.path, status: response.status.code, took: .now - begin)
    return response
  }
}

/// Around all routes: what the router itself refuses, and the answers to HEAD and OPTIONS.
private struct Unrouted: RouterMiddleware {
  let routes: [Route]
  let others: CrossOrigin

  func handle(
    _ request: Hummingbird.Request, context: BasicRequestContext,
    next: (Hummingbird.Request, BasicRequestContext) async throws -> Response
  ) async throws -> Response {
    var response = try await answer(request, context, next)
    if !others.isOff {
      response.headers.append(contentsOf: others.fields(for: request.headers[.origin]))
    }
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
        var headers: HTTPFields = [.allow: allowed]
        if !others.isOff, request.headers[.accessControlRequestMethod] != nil {
          headers.append(
            contentsOf: others.preflight(
              methods: allowed, headers: request.headers[.accessControlRequestHeaders]))
        }
        return Response(status: .noContent, headers: headers)
      }
      return APIError.otherMethod(allowed: allowed).response(family(request))
    }
  }

  private var knownRoutes: String {
    routes.filter { !$0.path.hasPrefix(HTTPCall.prefix) }
      .map { "\($0.methods.first?.rawValue ?? "") \($0.path)" }.joined(separator: ", ")
      + "; what vBERTs are asked, also behind /m/NAME"
  }

  private func family(_ request: Hummingbird.Request) -> Family {
    var parts = request.uri.path.split(separator: "/")[...]
    if parts.first == "m" { parts = parts.dropFirst(2) }
    let openAI = ["v1", "classify", "embeddings", "models"]
    let isOpenAI =
      parts.first.map { openAI.contains(String($0)) } ?? false
      || parts.starts(with: ["v2", "rerank"])
    return isOpenAI ? .openAI : parts.first == "v2" ? .kserve : .tei
  }
}
