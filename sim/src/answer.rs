//! Answers: right ones, refusals, and what faults make of them.

use std::time::Duration;

use crate::faults::Strike;
use crate::fleet::FaultKind;
use crate::log::Request;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::wire::error::ApiError;

/// The type of what Smithy's RPC in CBOR answers.
pub const CBOR: &str = "application/cbor";

/// What goes back.
#[derive(Debug)]
pub enum Answer {
    /// An answer.
    Whole(Reply),
    /// The connection closes in the middle of it.
    Cut(Reply),
    /// An answer, after a while.
    Late(Reply, Duration),
    /// Nothing, ever.
    Hang,
    /// The connection closes.
    Reset,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The header.
    pub content_type: &'static str,
    /// `x-amzn-ErrorType`, in REST and JSON services.
    pub error_type: Option<String>,
    /// `x-amzn-query-error`, in services that were Query services before: the code of then.
    pub query_error: Option<String>,
    /// `x-amzn-RequestId`.
    pub request_id: String,
    /// The body.
    pub body: Vec<u8>,
}

/// What is known about a request before it is answered.
#[derive(Debug)]
pub struct Context {
    /// The service.
    pub service: Service,
    /// Does the client want JSON of a service that also speaks CBOR?
    pub json: bool,
    /// The operation, once it is known.
    pub operation: &'static str,
    /// Of the answer.
    pub request_id: String,
    /// What the log will say.
    pub log: Request,
}

/// Nobody is there to answer.
pub fn no_such_service(mut log: Request, request_id: String) -> (Answer, Request) {
    let code = "UnknownOperationException";
    let message = if log.service.is_empty() {
        "neither a credential scope nor a Version says which service is meant".to_owned()
    } else {
        format!("there is no service {} here", log.service)
    };
    log.status = 404;
    log.error_code = Some(code.to_owned());
    let reply = Reply {
        status: 404,
        content_type: "application/x-amz-json-1.1",
        error_type: Some(code.to_owned()),
        query_error: None,
        request_id,
        body: serde_json::json!({ "__type": code, "message": message }).to_string().into(),
    };
    (Answer::Whole(reply), log)
}

/// What a fault puts in the place of the answer; `None` where the answer is needed.
pub fn instead(context: &mut Context, fault: FaultKind, user: &str) -> Option<Answer> {
    let refusal = match fault {
        FaultKind::AccessDenied => Refusal::Denied,
        FaultKind::InternalError => Refusal::Internal,
        FaultKind::ServiceUnavailable => Refusal::Unavailable,
        FaultKind::Throttled => Refusal::Throttled,
        FaultKind::ExpiredToken => Refusal::Expired,
        FaultKind::Hang | FaultKind::Reset | FaultKind::Html500 => {
            context.log.error_code = Some(fault.as_str().to_owned());
            return Some(match fault {
                FaultKind::Hang => Answer::Hang,
                FaultKind::Reset => Answer::Reset,
                _ => Answer::Whole(web_page(context)),
            });
        }
        FaultKind::Slow | FaultKind::TruncatedBody | FaultKind::MalformedBody | FaultKind::EndlessList => {
            return None;
        }
    };
    Some(refuse(context, refusal, user))
}

fn web_page(context: &Context) -> Reply {
    Reply {
        status: 500,
        content_type: "text/html",
        error_type: None,
        query_error: None,
        request_id: context.request_id.clone(),
        body: "<html><head><title>500 Internal Server Error</title></head>\
               <body><center><h1>500 Internal Server Error</h1></center></body></html>"
            .into(),
    }
}

/// What a fault makes of the answer.
pub fn spoil(context: &mut Context, strike: Strike, mut reply: Reply) -> Answer {
    if strike.kind == FaultKind::EndlessList && !context.log.more {
        // Not a list: there is nothing to spoil.
        context.log.fault = None;
        return Answer::Whole(reply);
    }
    context.log.error_code = Some(strike.kind.as_str().to_owned());
    match strike.kind {
        FaultKind::Slow => Answer::Late(reply, strike.delay),
        FaultKind::TruncatedBody => Answer::Cut(reply),
        FaultKind::MalformedBody => {
            reply.body.truncate(half(&reply.body));
            Answer::Whole(reply)
        }
        _ => Answer::Whole(reply),
    }
}

/// About half of a body, and no part of a character.
fn half(body: &[u8]) -> usize {
    let middle = body.len() / 2;
    let text = std::str::from_utf8(body);
    text.map_or(middle, |text| (0..=middle).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0))
}

/// The service says no to `user`.
pub fn refuse(context: &mut Context, refusal: Refusal, user: &str) -> Answer {
    context.log.throttled = refusal == Refusal::Throttled;
    let error = refusal.error(context.service, context.operation, user);
    failed(context, &error)
}

/// An error, in the service's own format.
pub fn failed(context: &mut Context, error: &ApiError) -> Answer {
    context.log.error_code = Some(error.code.clone());
    let body = match context.service {
        Service::Ec2 => error.to_ec2(&context.request_id).into(),
        Service::Eks => error.to_json().into(),
        Service::Organizations => error.to_typed_json("Message").into(),
        Service::CloudWatch if context.json => error.to_typed_json("message").into(),
        Service::CloudWatch => error.to_cbor(),
        Service::Sts | Service::AutoScaling | Service::Iam => {
            error.to_query(context.service.namespace(), &context.request_id).into()
        }
    };
    Answer::Whole(reply(context, error.status, Some(&error.code), body))
}

/// An answer with the service's own headers.
pub fn reply(context: &Context, status: u16, code: Option<&str>, body: Vec<u8>) -> Reply {
    let json = matches!(context.service, Service::Eks | Service::Organizations);
    Reply {
        status,
        content_type: match context.service {
            Service::Eks => "application/json",
            Service::Organizations => "application/x-amz-json-1.1",
            Service::Ec2 => "text/xml;charset=UTF-8",
            Service::CloudWatch if context.json => "application/x-amz-json-1.0",
            Service::CloudWatch => CBOR,
            Service::Sts | Service::AutoScaling | Service::Iam => "text/xml",
        },
        error_type: code.filter(|_| json).map(str::to_owned),
        query_error: code
            .filter(|_| context.service == Service::CloudWatch)
            .map(|code| format!("{code};{}", if status < 500 { "Sender" } else { "Receiver" })),
        request_id: context.request_id.clone(),
        body,
    }
}
