//! Elements, as the two accessibility interfaces of Windows tell them: UI Automation, and MSAA before it. One at a time, never a tree,
//! never a value.

use super::handle;
use std::io;
use windows::Win32::Foundation::{POINT, RECT};
use windows::Win32::System::Com::{CLSCTX_INPROC_SERVER, COINIT_MULTITHREADED, CoCreateInstance, CoInitializeEx};
use windows::Win32::System::Variant::{VARIANT, VT_I4};
use windows::Win32::UI::Accessibility::{
    AccessibleObjectFromPoint, AccessibleObjectFromWindow, CUIAutomation, CUIAutomation8, IAccessible, IUIAutomation,
    IUIAutomation2, IUIAutomationCacheRequest, IUIAutomationElement, TreeScope_Element, UIA_AutomationIdPropertyId,
    UIA_BoundingRectanglePropertyId, UIA_ClassNamePropertyId, UIA_ControlTypePropertyId, UIA_IsPasswordPropertyId,
    UIA_NamePropertyId,
};
use windows::Win32::UI::WindowsAndMessaging::{CHILDID_SELF, OBJID_CLIENT};
use windows::core::{BSTR, Interface};

/// How long a program may take to connect and to answer, in milliseconds; the system's own limit is 2 s.
const CALL_MS_MAX: u32 = 250;

/// The state of MSAA that a password field has.
const STATE_PROTECTED: i32 = 0x2000_0000;

/// What kind of element it is, in the numbers of the interface that told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A control type of UI Automation.
    Automation(i32),
    /// A role of MSAA.
    Accessible(i32),
}

/// What an interface told.
#[derive(Debug)]
pub struct Found {
    /// What it is.
    pub kind: Kind,
    /// Whether it is a secret field.
    pub is_password: bool,
    /// Its label.
    pub name: Option<String>,
    /// Its id in the program.
    pub id: Option<String>,
    /// Its class.
    pub class: Option<String>,
    /// x, y, width, height on the screen.
    pub bounds: Option<[i32; 4]>,
}

/// Both interfaces, as the thread sees them that opened it.
pub struct Eyes {
    automation: Option<(IUIAutomation, IUIAutomationCacheRequest)>,
}

impl Eyes {
    /// Makes the calling thread one that may ask.
    ///
    /// Errors: the system has no COM here.
    pub fn open() -> io::Result<Self> {
        // SAFETY: the thread belongs to the caller, who keeps it for this.
        unsafe { CoInitializeEx(None, COINIT_MULTITHREADED) }.ok().map_err(io::Error::from)?;
        Ok(Self { automation: automation().ok() })
    }

    /// Whether UI Automation is there; MSAA always is.
    pub fn has_automation(&self) -> bool {
        self.automation.is_some()
    }

    /// UI Automation's element under a point.
    pub fn automation_at(&self, x: i32, y: i32) -> Option<Found> {
        let (automation, request) = self.automation.as_ref()?;
        // SAFETY: COM calls on an interface that lives.
        by_automation(&unsafe { automation.ElementFromPointBuildCache(POINT { x, y }, request) }.ok()?)
    }

    /// UI Automation's element of a control.
    pub fn automation_of(&self, window: u64) -> Option<Found> {
        let (automation, request) = self.automation.as_ref()?;
        // SAFETY: as above.
        by_automation(&unsafe { automation.ElementFromHandleBuildCache(handle(window), request) }.ok()?)
    }

    /// UI Automation's element that has the focus.
    pub fn automation_focused(&self) -> Option<Found> {
        let (automation, request) = self.automation.as_ref()?;
        // SAFETY: as above.
        by_automation(&unsafe { automation.GetFocusedElementBuildCache(request) }.ok()?)
    }

    /// MSAA's element under a point.
    pub fn accessible_at(&self, x: i32, y: i32) -> Option<Found> {
        let (mut object, mut child) = (None, VARIANT::default());
        // SAFETY: the places for the answers live during the call.
        unsafe { AccessibleObjectFromPoint(POINT { x, y }, &mut object, &mut child) }.ok()?;
        by_accessible(&object?, &child)
    }

    /// MSAA's element of a control.
    pub fn accessible_of(&self, window: u64) -> Option<Found> {
        let mut object = core::ptr::null_mut();
        // SAFETY: the interface that is asked for is the one that the pointer is taken as.
        let object = unsafe {
            let client = OBJID_CLIENT.0.cast_unsigned();
            AccessibleObjectFromWindow(handle(window), client, &IAccessible::IID, &mut object).ok()?;
            IAccessible::from_raw(object)
        };
        by_accessible(&object, &VARIANT::from(CHILDID_SELF as i32))
    }
}

fn automation() -> windows::core::Result<(IUIAutomation, IUIAutomationCacheRequest)> {
    // SAFETY: COM calls; the thread was made ready before.
    unsafe {
        let automation: IUIAutomation = CoCreateInstance(&CUIAutomation8, None, CLSCTX_INPROC_SERVER)
            .or_else(|_| CoCreateInstance(&CUIAutomation, None, CLSCTX_INPROC_SERVER))?;
        if let Ok(limits) = automation.cast::<IUIAutomation2>() {
            limits.SetConnectionTimeout(CALL_MS_MAX)?;
            limits.SetTransactionTimeout(CALL_MS_MAX)?;
        }
        let request = automation.CreateCacheRequest()?;
        for property in [
            UIA_ControlTypePropertyId,
            UIA_NamePropertyId,
            UIA_AutomationIdPropertyId,
            UIA_ClassNamePropertyId,
            UIA_IsPasswordPropertyId,
            UIA_BoundingRectanglePropertyId,
        ] {
            request.AddProperty(property)?;
        }
        request.SetTreeScope(TreeScope_Element)?;
        Ok((automation, request))
    }
}

/// Nothing if it does not tell whether it is a secret.
fn by_automation(element: &IUIAutomationElement) -> Option<Found> {
    // SAFETY: COM calls on an interface that lives; the values were fetched with the element.
    unsafe {
        Some(Found {
            kind: Kind::Automation(element.CachedControlType().ok()?.0),
            is_password: element.CachedIsPassword().ok()?.as_bool(),
            name: text(element.CachedName()),
            id: text(element.CachedAutomationId()),
            class: text(element.CachedClassName()),
            bounds: element.CachedBoundingRectangle().ok().and_then(bounds),
        })
    }
}

/// Nothing if it does not tell whether it is a secret.
fn by_accessible(object: &IAccessible, child: &VARIANT) -> Option<Found> {
    // SAFETY: COM calls on an interface that lives; the places for the answers live during the calls.
    unsafe {
        let mut at = RECT::default();
        let (mut width, mut height) = (0, 0);
        let located = object.accLocation(&mut at.left, &mut at.top, &mut width, &mut height, child);
        (at.right, at.bottom) = (at.left.saturating_add(width), at.top.saturating_add(height));
        Some(Found {
            kind: Kind::Accessible(number(object.get_accRole(child).ok()?)?),
            is_password: number(object.get_accState(child).ok()?)? & STATE_PROTECTED != 0,
            name: text(object.get_accName(child)),
            id: None,
            class: None,
            bounds: located.ok().and_then(|()| bounds(at)),
        })
    }
}

/// The number in a variant. The system's own conversion is not asked: Wine 8 has none, and ends the program.
fn number(variant: VARIANT) -> Option<i32> {
    // SAFETY: the field is read that the tag names.
    unsafe {
        let inner = &variant.Anonymous.Anonymous;
        (inner.vt == VT_I4).then(|| inner.Anonymous.lVal)
    }
}

fn text(text: windows::core::Result<BSTR>) -> Option<String> {
    text.ok().map(|text| text.to_string()).filter(|text| !text.is_empty())
}

fn bounds(at: RECT) -> Option<[i32; 4]> {
    let (width, height) = (at.right.saturating_sub(at.left), at.bottom.saturating_sub(at.top));
    (width > 0 && height > 0).then_some([at.left, at.top, width, height])
}
